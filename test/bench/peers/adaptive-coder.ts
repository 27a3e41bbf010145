/** Probabilities are cut to 16 bits, and kept this far from 0 and 1. */
const PROBABILITY_ONE = 2 ** 16;
const PROBABILITY_MIN = 16;
/** A renormalised range has at least 24 bits. */
const RANGE_MIN = 2 ** 24;
const FULL = 2 ** 32;
/** What a bit has been seen before anything was: less than one of each, so that the first ones count for much. */
const FIRST_COUNT = 0.4;
/** Counts are halved beyond this: signals change. */
const COUNT_LIMIT = 255;

/**
 * Adaptive binary arithmetic coding, both directions in one class: a caller codes what it has, and gets back what was
 * coded, so that an encoder and its decoder are the same lines.
 *
 * Contexts are numbered by the caller. Each counts its zeros and ones; the estimate is n1 / (n0 + n1).
 *
 * @see Witten, Neal, Cleary 1987, "Arithmetic coding for data compression"; carries are added to the bytes already out
 */
export class AdaptiveCoder {
  readonly #isDecoder: boolean;
  readonly #zeros: Float64Array;
  readonly #ones: Float64Array;
  #bytes: Uint8Array;
  #at = 0;
  /** Encoder: lower end of the interval. Decoder: how far the code lies above it. */
  #low = 0;
  #range = FULL - 1;

  /** @param bytes  what to decode; nothing to encode */
  constructor(contexts: number, bytes?: Uint8Array) {
    this.#isDecoder = bytes !== undefined;
    this.#zeros = new Float64Array(contexts).fill(FIRST_COUNT);
    this.#ones = new Float64Array(contexts).fill(FIRST_COUNT);
    this.#bytes = bytes ?? new Uint8Array(1 << 12);
    if (this.#isDecoder) this.#load();
  }

  /** Encoder: finish, and go on with what was learned. @returns the bytes since the last cut */
  cut(): Uint8Array {
    const bytes = this.finish();
    this.#at = 0;
    this.#low = 0;
    this.#range = FULL - 1;
    return bytes;
  }

  /** Decoder: go on with the bytes after a cut. */
  resume(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
    this.#low = 0;
    this.#range = FULL - 1;
    this.#load();
  }

  /** Code one bit in a context. @returns the bit; a decoder ignores the one it is given */
  bit(context: number, bit: number): number {
    const zeros = this.#zeros[context] as number;
    const ones = this.#ones[context] as number;
    let probability = Math.floor((ones / (zeros + ones)) * PROBABILITY_ONE);
    if (probability < PROBABILITY_MIN) probability = PROBABILITY_MIN;
    if (probability > PROBABILITY_ONE - PROBABILITY_MIN) probability = PROBABILITY_ONE - PROBABILITY_MIN;
    const coded = this.#split(probability, bit);
    if (coded === 1) this.#ones[context] = ones + 1;
    else this.#zeros[context] = zeros + 1;
    if (zeros + ones + 1 > COUNT_LIMIT) {
      this.#zeros[context] = (this.#zeros[context] as number) / 2;
      this.#ones[context] = (this.#ones[context] as number) / 2;
    }
    return coded;
  }

  /** Code one bit that nothing is known about. */
  rawBit(bit: number): number {
    return this.#split(PROBABILITY_ONE / 2, bit);
  }

  /** The shortest bytes inside the interval; a decoder reads zeros behind them. */
  finish(): Uint8Array {
    for (let bytes = 0; bytes <= 4; bytes++) {
      const unit = 2 ** (32 - 8 * bytes);
      const code = Math.ceil(this.#low / unit) * unit;
      if (code >= this.#low + this.#range) continue;
      this.#low = code;
      this.#carry();
      for (let i = 0; i < bytes; i++) this.#shift();
      break;
    }
    let end = this.#at;
    while (end > 0 && this.#bytes[end - 1] === 0) end -= 1;
    return this.#bytes.slice(0, end);
  }

  #load(): void {
    for (let i = 0; i < 4; i++) this.#low = this.#low * 256 + this.#nextByte();
  }

  #split(probability: number, bit: number): number {
    const bound = Math.floor((this.#range * probability) / PROBABILITY_ONE);
    let coded = bit;
    if (this.#isDecoder) coded = this.#low < bound ? 1 : 0;
    if (coded === 1) this.#range = bound;
    else {
      this.#range -= bound;
      this.#low = this.#isDecoder ? this.#low - bound : this.#low + bound;
      if (!this.#isDecoder) this.#carry();
    }
    while (this.#range < RANGE_MIN) {
      this.#range *= 256;
      if (this.#isDecoder) this.#low = this.#low * 256 + this.#nextByte();
      else this.#shift();
    }
    return coded;
  }

  #carry(): void {
    if (this.#low < FULL) return;
    this.#low -= FULL;
    let at = this.#at - 1;
    while (this.#bytes[at] === 255) this.#bytes[at--] = 0;
    this.#bytes[at] = (this.#bytes[at] as number) + 1;
  }

  #shift(): void {
    if (this.#at === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    const top = Math.floor(this.#low / RANGE_MIN);
    this.#bytes[this.#at++] = top;
    this.#low = (this.#low - top * RANGE_MIN) * 256;
  }

  #nextByte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }
}
