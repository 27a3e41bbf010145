import { FrameError } from "./errors.ts";
import type { Field } from "./field.ts";
import { isPlainText } from "./text-rules.ts";

const MAJOR_UNSIGNED = 0x00;
const MAJOR_NEGATIVE = 0x20;
const MAJOR_BYTES = 0x40;
const MAJOR_TEXT = 0x60;
const MAJOR_ARRAY = 0x80;

/** Enough for every frame without a payload but the birth and a full ack; larger ones grow. */
const FIRST_CAPACITY_BYTES = 64;

/**
 * Writes the items of one frame by position in the deterministic form, each checked against its field's range.
 *
 * @see RFC 8949, section 4.2.1
 */
export class CborWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY_BYTES);
  #length = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** What was written so far; a view, valid until the next item. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Write an integer of either sign. @throws {FrameError} `out-of-range` when it is outside the field or no integer */
  int(value: number, field: Field): void {
    this.#checkRange(value, field);
    if (value >= 0) {
      this.#head(MAJOR_UNSIGNED, value);
    } else {
      this.#head(MAJOR_NEGATIVE, -1 - value);
    }
  }

  /** Write a byte string. @throws {FrameError} `out-of-range` when its length is outside the field */
  byteString(content: Uint8Array, field: Field): void {
    this.#checkRange(content.length, field);
    this.#head(MAJOR_BYTES, content.length);
    this.#append(content);
  }

  /**
   * Write a text string.
   *
   * @throws {FrameError} `out-of-range` when its length in UTF-8 bytes is outside the field, or for a lone surrogate or
   *   control character
   */
  text(text: string, field: Field): void {
    if (!isPlainText(text)) {
      throw new FrameError("out-of-range", { offset: this.#length, field: field.name });
    }
    const utf8 = new TextEncoder().encode(text);
    this.#checkRange(utf8.length, field);
    this.#head(MAJOR_TEXT, utf8.length);
    this.#append(utf8);
  }

  /** Write the head of an array. @throws {FrameError} `out-of-range` when its number of elements is outside the field */
  array(count: number, field: Field): void {
    this.#checkRange(count, field);
    this.#head(MAJOR_ARRAY, count);
  }

  /** The bytes written, in a buffer of exactly their length that is the caller's. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #checkRange(value: number, field: Field): void {
    if (!Number.isSafeInteger(value) || value > field.max || value < field.min) {
      const limit = value > field.max ? field.max : field.min;
      throw new FrameError("out-of-range", { offset: this.#length, field: field.name, have: value, limit });
    }
  }

  #head(major: number, argument: number): void {
    if (argument < 24) {
      this.#bigEndian(major | argument, argument, 0);
    } else if (argument < 0x100) {
      this.#bigEndian(major | 24, argument, 1);
    } else if (argument < 0x1_0000) {
      this.#bigEndian(major | 25, argument, 2);
    } else if (argument < 0x1_0000_0000) {
      this.#bigEndian(major | 26, argument, 4);
    } else {
      this.#bigEndian(major | 27, argument, 8);
    }
  }

  #bigEndian(first: number, argument: number, width: number): void {
    this.#reserve(1 + width);
    this.#bytes[this.#length] = first;
    let rest = argument;
    for (let i = width; i >= 1; i--) {
      this.#bytes[this.#length + i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    this.#length += 1 + width;
  }

  #append(content: Uint8Array): void {
    this.#reserve(content.length);
    this.#bytes.set(content, this.#length);
    this.#length += content.length;
  }

  #reserve(moreBytes: number): void {
    const need = this.#length + moreBytes;
    if (need > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(need, 2 * this.#bytes.length));
      grown.set(this.written);
      this.#bytes = grown;
    }
  }
}
