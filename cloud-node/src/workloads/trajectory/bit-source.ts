/** There are no more bits. */
export class OutOfBits extends RangeError {
  override readonly name = "OutOfBits";
}

/** Bits of a byte string, from the top of every byte down. */
export class BitSource {
  readonly #bytes: Uint8Array;
  #next: number;
  #window = 0;
  #count = 0;

  /** @param position  of the first bit */
  constructor(bytes: Uint8Array, position: number) {
    this.#bytes = bytes;
    this.#next = position >> 3;
    if ((position & 7) > 0) this.take(position & 7);
  }

  /** Of the next bit. */
  get position(): number {
    return this.#next * 8 - this.#count;
  }

  /** A number of 1 … 32 bits. @throws {OutOfBits} */
  take(bits: number): number {
    if (bits > 16) return this.take(bits - 16) * 65536 + this.take(16);
    while (this.#count < bits) {
      const byte = this.#bytes[this.#next];
      if (byte === undefined) throw new OutOfBits(`${bits} bits at byte ${this.#next}`);
      this.#window = ((this.#window << 8) | byte) & 0xffffff;
      this.#count += 8;
      this.#next++;
    }
    this.#count -= bits;
    return (this.#window >>> this.#count) & ((1 << bits) - 1);
  }
}
