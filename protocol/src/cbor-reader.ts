import { FrameError } from "./errors.ts";
import type { Field } from "./field.ts";
import { isPlainText } from "./text-rules.ts";

const MAJOR_UNSIGNED = 0;
const MAJOR_NEGATIVE = 1;
const MAJOR_BYTES = 2;
const MAJOR_TEXT = 3;
const MAJOR_ARRAY = 4;

/**
 * Reads the items of one frame by position: the caller says what must stand next, anything else is refused.
 *
 * Only the deterministic form of integers, byte strings, text strings and arrays is taken, and nothing is allocated
 * by a length that the bytes do not bear out. Each item is checked in this order: form, type, range, bytes present.
 *
 * @see RFC 8949, sections 3 and 4.2.1
 */
export class CborReader {
  readonly bytes: Uint8Array;
  #offset = 0;
  #major = 0;

  /** @param bytes  kept, not copied; byte strings that are read are views of it */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The byte at which the next item starts. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Read an unsigned integer.
   *
   * @throws {FrameError} `truncated`, `not-canonical`, `wrong-shape`, or `out-of-range` (also for a negative integer)
   */
  uint(field: Field): number {
    const start = this.#offset;
    const first = this.bytes[start];
    if (first !== undefined && first < 24 && first <= field.max && first >= field.min) {
      this.#offset = start + 1;
      return first;
    }
    return this.int(field);
  }

  /** Read an integer of either sign. @throws {FrameError} as {@link CborReader.uint} */
  int(field: Field): number {
    const start = this.#offset;
    const argument = this.#head(field.name);
    if (this.#major > MAJOR_NEGATIVE) {
      throw new FrameError("wrong-shape", { offset: start, field: field.name });
    }
    const value = this.#major === MAJOR_UNSIGNED ? argument : -1 - argument;
    checkRange(value, field, start);
    return value;
  }

  /**
   * Read a byte string whose length lies in the field's range.
   *
   * @returns a view of the reader's bytes, not a copy
   * @throws {FrameError} `truncated`, `not-canonical`, `wrong-shape`, `out-of-range`
   */
  byteString(field: Field): Uint8Array {
    return this.#string(MAJOR_BYTES, field);
  }

  /**
   * Read a text string whose length in bytes lies in the field's range.
   *
   * @throws {FrameError} as {@link CborReader.byteString}; `out-of-range` for ill-formed UTF-8 and control characters
   */
  text(field: Field): string {
    const start = this.#offset;
    const utf8 = this.#string(MAJOR_TEXT, field);
    const text = decodeUtf8(utf8);
    if (text === undefined || !isPlainText(text)) {
      throw new FrameError("out-of-range", { offset: start, field: field.name });
    }
    return text;
  }

  /** Read the head of an array and return its number of elements. @throws {FrameError} as {@link CborReader.uint} */
  array(field: Field): number {
    const start = this.#offset;
    const count = this.#head(field.name);
    if (this.#major !== MAJOR_ARRAY) {
      throw new FrameError("wrong-shape", { offset: start, field: field.name });
    }
    checkRange(count, field, start);
    return count;
  }

  /** Say that the item ends here. @throws {FrameError} `trailing-bytes` when bytes are left */
  end(): void {
    if (this.#offset !== this.bytes.length) {
      throw new FrameError("trailing-bytes", { offset: this.#offset, need: this.#offset, have: this.bytes.length });
    }
  }

  #string(major: number, field: Field): Uint8Array {
    const start = this.#offset;
    const length = this.#head(field.name);
    if (this.#major !== major) {
      throw new FrameError("wrong-shape", { offset: start, field: field.name });
    }
    checkRange(length, field, start);
    const end = this.#offset + length;
    this.#need(end, start, field.name);
    const content = this.bytes.subarray(this.#offset, end);
    this.#offset = end;
    return content;
  }

  /** Leaves the major type in `#major`; an argument of 2⁵³ or more comes back rounded, which every range refuses. */
  #head(fieldName: string): number {
    const start = this.#offset;
    this.#need(start + 1, start, fieldName);
    const first = this.#byte(start);
    const info = first & 31;
    this.#major = first >> 5;
    if (this.#major > MAJOR_ARRAY || info > 27) {
      throw new FrameError("not-canonical", { offset: start, field: fieldName });
    }
    if (info < 24) {
      this.#offset = start + 1;
      return info;
    }
    const width = 1 << (info - 24);
    this.#need(start + 1 + width, start, fieldName);
    let argument = 0;
    for (let i = 1; i <= width; i++) {
      argument = argument * 256 + this.#byte(start + i);
    }
    const shorterMax = width === 1 ? 23 : 2 ** (4 * width) - 1;
    if (argument <= shorterMax) {
      throw new FrameError("not-canonical", { offset: start, field: fieldName });
    }
    this.#offset = start + 1 + width;
    return argument;
  }

  #byte(at: number): number {
    return this.bytes[at] ?? 0;
  }

  #need(end: number, start: number, fieldName: string): void {
    if (end > this.bytes.length) {
      throw new FrameError("truncated", { offset: start, field: fieldName, need: end, have: this.bytes.length });
    }
  }
}

function checkRange(value: number, field: Field, offset: number): void {
  if (value > field.max || value < field.min) {
    const limit = value > field.max ? field.max : field.min;
    throw new FrameError("out-of-range", { offset, field: field.name, have: value, limit });
  }
}

/** Undefined for ill-formed UTF-8: an expected outcome here, which the caller turns into the frame's error. */
function decodeUtf8(utf8: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(utf8);
  } catch {
    return undefined;
  }
}
