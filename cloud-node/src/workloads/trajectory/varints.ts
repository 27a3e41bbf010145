/** Most bytes of a variable-length integer below 2^53. */
const MAX_BYTES = 8;

/** Whole numbers as bytes, seven bits each, least significant first. Range: 0 … 2^53 - 1. */
export class VarintWriter {
  #bytes = new Uint8Array(64);
  #length = 0;

  push(value: number): void {
    if (this.#length + MAX_BYTES > this.#bytes.length) this.#grow();
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A number of either sign, |value| < 2^52: 0, -1, 1, -2 … */
  pushSigned(value: number): void {
    this.push(value < 0 ? -2 * value - 1 : 2 * value);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #grow(): void {
    const larger = new Uint8Array(2 * this.#bytes.length);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** Reads them in order; once something was not there, every further number is 0 and `isWhole` false. */
export class VarintReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #isShort = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  next(): number {
    let value = 0;
    for (let index = 0; index < MAX_BYTES; index++) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) break;
      this.#at += 1;
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80 && value <= Number.MAX_SAFE_INTEGER) return value;
    }
    this.#isShort = true;
    return 0;
  }

  nextSigned(): number {
    const value = this.next();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  /** Whether all was there that was asked for, and nothing is left. */
  get isWhole(): boolean {
    return !this.#isShort && this.#at === this.#bytes.length;
  }
}
