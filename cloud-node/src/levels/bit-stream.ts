import { InvariantError } from "../invariant-error.ts";

/** Longest number that is written, bits. */
const MAX_BITS = 53;
const FIRST_BYTES = 256;

/** Writes bits, the highest of a number first. */
export class BitWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #bits = 0;

  /** @param value  0 … 2^bits − 1, bits ≤ 53 */
  write(value: number, bits: number): void {
    if (this.#bits + bits > 8 * this.#bytes.length) {
      const grown = new Uint8Array(2 * this.#bytes.length);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    let left = bits;
    while (left > 0) {
      const free = 8 - (this.#bits & 7);
      const count = Math.min(free, left);
      left -= count;
      // Division in place of a shift: the number may have more than 32 bits.
      const part = Math.floor(value / 2 ** left) % 2 ** count;
      const at = this.#bits >> 3;
      this.#bytes[at] = (this.#bytes[at] ?? 0) | (part << (free - count));
      this.#bits += count;
    }
  }

  /**
   * Write a number as an exponential Golomb code.
   *
   * @param value  0 … 2^52
   * @param order  bits that are always written, 0 … 31
   */
  writeGolomb(value: number, order: number): void {
    const shifted = value + 2 ** order;
    const bits = bitLength(shifted);
    this.write(0, bits - order - 1);
    this.write(shifted, bits);
  }

  /** A copy of what was written, the last byte filled with zeros. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, (this.#bits + 7) >> 3);
  }
}

/** Mirrors `BitWriter`. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #bits: number;

  /** @param at  byte to begin with */
  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#bits = 8 * at;
  }

  /** @throws {InvariantError} past the end: what is read was written by us, or is damaged */
  read(bits: number): number {
    if (bits > MAX_BITS || this.#bits + bits > 8 * this.#bytes.length) {
      throw new InvariantError(`level: ${bits} bits at bit ${this.#bits} of ${8 * this.#bytes.length}`);
    }
    let value = 0;
    let left = bits;
    while (left > 0) {
      const free = 8 - (this.#bits & 7);
      const count = Math.min(free, left);
      const part = ((this.#bytes[this.#bits >> 3] ?? 0) >> (free - count)) & (2 ** count - 1);
      value = value * 2 ** count + part;
      this.#bits += count;
      left -= count;
    }
    return value;
  }

  readGolomb(order: number): number {
    let zeros = 0;
    while (this.read(1) === 0) {
      zeros += 1;
      if (zeros > MAX_BITS) throw new InvariantError("level: a number of more than 53 bits");
    }
    return 2 ** (zeros + order) + this.read(zeros + order) - 2 ** order;
  }
}

/** Bits that `writeGolomb` takes. */
export function golombBits(value: number, order: number): number {
  return 2 * bitLength(value + 2 ** order) - order - 1;
}

function bitLength(value: number): number {
  return value < 2 ** 32 ? 32 - Math.clz32(value) : 64 - Math.clz32(value / 2 ** 32);
}

/** Whole numbers of either sign as whole numbers from 0 on: 0, −1, 1, −2 … */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** Mirrors `zigzag`. */
export function unzigzag(value: number): number {
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
}
