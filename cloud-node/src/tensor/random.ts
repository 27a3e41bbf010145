import { cosine, logarithm } from "./exact-functions.ts";

const TWO_TO_MINUS_32 = 2 ** -32;

/**
 * A seeded stream of random numbers for one name: number i depends on (seed, name, i) alone, so that streams do not
 * shift when another is used or left out, and is the same on every machine.
 *
 * @see Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" for the idea; the mixing is the finalizer of
 * Appleby's MurmurHash3, applied once for each word of the counter
 */
export class RandomStream {
  readonly #key: number;
  #counter: number;

  /** @param counter  draws made before, for a stream that goes on */
  constructor(seed: number, name: string, counter = 0) {
    let key = mixWords(seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0);
    for (let at = 0; at < name.length; at++) key = mixWords(key, name.charCodeAt(at));
    this.#key = key;
    this.#counter = counter;
  }

  /** Draws made so far. */
  get counter(): number {
    return this.#counter;
  }

  /** Evenly from 0 up to below 2^32. */
  nextWord(): number {
    const count = this.#counter++;
    return mixWords(mixWords(this.#key, count >>> 0), (Math.floor(count / 2 ** 32) ^ 0x9e3779b9) >>> 0);
  }

  /** Evenly in (0, 1). */
  nextUniform(): number {
    return (this.nextWord() + 0.5) * TWO_TO_MINUS_32;
  }

  /** Among 0 … below - 1, evenly but for a share of below / 2^32; below ≤ 2^32. */
  nextBelow(below: number): number {
    return Math.floor(this.nextWord() * below * TWO_TO_MINUS_32);
  }

  /** Normally distributed with mean 0 and deviation 1: two draws. @see Box and Muller 1958 */
  nextNormal(): number {
    const radius = Math.sqrt(-2 * logarithm(this.nextUniform()));
    return radius * cosine(2 * Math.PI * this.nextUniform());
  }
}

/** Numbers of a normal distribution, as parameters are initialised. */
export function normalNumbers(count: number, deviation: number, seed: number, name: string): Float32Array {
  const stream = new RandomStream(seed, name);
  return Float32Array.from({ length: count }, () => deviation * stream.nextNormal());
}

/** Numbers evenly in (-bound, bound). */
export function uniformNumbers(count: number, bound: number, seed: number, name: string): Float32Array {
  const stream = new RandomStream(seed, name);
  return Float32Array.from({ length: count }, () => bound * (2 * stream.nextUniform() - 1));
}

/** Both words, u32, to one. */
export function mixWords(a: number, b: number): number {
  let word = Math.imul(a ^ Math.imul(b, 0xcc9e2d51), 0x1b873593) + 0xe6546b64;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}
