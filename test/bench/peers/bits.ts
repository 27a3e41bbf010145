/** Bits into bytes, the highest first. */
export class BitWriter {
  #bytes = new Uint8Array(1 << 10);
  #at = 0;
  #pending = 0;
  #pendingBits = 0;

  /** @param bits  0 … 32 */
  write(value: number, bits: number): void {
    for (let left = bits; left > 0; ) {
      const taken = Math.min(left, 8 - this.#pendingBits);
      const part = (value >>> (left - taken)) & ((1 << taken) - 1);
      this.#pending = (this.#pending << taken) | part;
      this.#pendingBits += taken;
      left -= taken;
      if (this.#pendingBits === 8) this.#emit();
    }
  }

  /** Fill the last byte with zeros. */
  align(): void {
    if (this.#pendingBits > 0) this.write(0, 8 - this.#pendingBits);
  }

  /** Everything written, padded to a byte. */
  finish(): Uint8Array {
    this.align();
    return this.#bytes.slice(0, this.#at);
  }

  #emit(): void {
    if (this.#at === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#at++] = this.#pending;
    this.#pending = 0;
    this.#pendingBits = 0;
  }
}

/** Mirrors `BitWriter`; zeros follow the last byte. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** @param bits  0 … 32 */
  read(bits: number): number {
    let value = 0;
    for (let left = bits; left > 0; ) {
      const used = this.#at & 7;
      const taken = Math.min(left, 8 - used);
      const byte = this.#bytes[this.#at >>> 3] ?? 0;
      value = value * 2 ** taken + ((byte >>> (8 - used - taken)) & ((1 << taken) - 1));
      this.#at += taken;
      left -= taken;
    }
    return value;
  }

  align(): void {
    this.#at = (this.#at + 7) & ~7;
  }
}
