/** Most bytes of a variable-length integer below 2^53. */
const MAX_VARINT_BYTES = 8;

/**
 * Append an unsigned integer, seven bits a byte, least significant first.
 *
 * @param value  0 … 2^53 − 1
 */
export function pushVarint(out: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.push(rest);
}

/** Reads a block's fields in order; every read says whether it fitted. */
export class ByteCursor {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  /** @returns the integer, or undefined when the bytes end inside it or it passes 2^53 */
  varint(): number | undefined {
    let value = 0;
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      const byte = this.#bytes[this.#position];
      if (byte === undefined) return undefined;
      this.#position += 1;
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return Number.isSafeInteger(value) ? value : undefined;
    }
    return undefined;
  }

  /** @returns a view of the next bytes, or undefined when there are fewer */
  take(length: number): Uint8Array | undefined {
    if (length > this.remaining) return undefined;
    const start = this.#position;
    this.#position += length;
    return this.#bytes.subarray(start, this.#position);
  }
}
