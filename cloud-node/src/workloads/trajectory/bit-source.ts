/** There are no more bits. */
export class OutOfBits extends RangeError {
  override readonly name = "OutOfBits";
}

/** Most bits that can be looked at ahead. */
export const PEEK_BITS = 20;

/** Bits of a byte string, from the top of every byte down; zeros behind its end, which may be seen and not taken. */
export class BitSource {
  readonly #bytes: Uint8Array;
  /** Byte that the window takes in next; the window's lowest `count` bits are not yet taken. */
  #next: number;
  #window = 0;
  #count = 0;

  /** @param position  of the first bit */
  constructor(bytes: Uint8Array, position: number) {
    this.#bytes = bytes;
    this.#next = position >> 3;
    this.skip(position & 7);
  }

  /** Of the next bit. */
  get position(): number {
    return this.#next * 8 - this.#count;
  }

  /** The next PEEK_BITS as a number. */
  peek(): number {
    while (this.#count < PEEK_BITS) {
      this.#window = (this.#window << 8) | (this.#bytes[this.#next] ?? 0);
      this.#count += 8;
      this.#next++;
    }
    return (this.#window >>> (this.#count - PEEK_BITS)) & ((1 << PEEK_BITS) - 1);
  }

  /** Leave behind 0 … PEEK_BITS bits. @throws {OutOfBits} */
  skip(bits: number): void {
    this.peek();
    this.#count -= bits;
    if (this.#next > this.#bytes.length && this.position > this.#bytes.length * 8) {
      throw new OutOfBits(`${bits} bits at byte ${this.#bytes.length}`);
    }
  }

  /** A number of 1 … 32 bits. @throws {OutOfBits} */
  take(bits: number): number {
    if (bits > 16) return this.take(bits - 16) * 65536 + this.take(16);
    const value = this.peek() >>> (PEEK_BITS - bits);
    this.skip(bits);
    return value;
  }
}
