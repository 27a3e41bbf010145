import type { RandomSource } from "@lockstep/edge-sdk";

const MASK64 = (1n << 64n) - 1n;
const GOLDEN64 = 0x9e3779b97f4a7c15n;

/** Random numbers that are the same on every machine, for ever, given the same seed. */
export interface SeededRandom extends RandomSource {
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Normal, mean 0, standard deviation 1. */
  gaussian(): number;
  /** A generator of its own for one purpose, independent of how many numbers are drawn here. */
  fork(purpose: string): SeededRandom;
}

/**
 * xoshiro128** with its state filled by SplitMix64; normal numbers by Box–Muller.
 *
 * @param seed  any integer, taken modulo 2⁶⁴
 * @see Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", 2021; Steele, Lea and Flood, 2014
 */
export function seededRandom(seed: number | bigint): SeededRandom {
  return new Xoshiro128(BigInt(seed) & MASK64);
}

class Xoshiro128 implements SeededRandom {
  readonly #seed: bigint;
  readonly #s: Uint32Array;
  #spare: number | undefined;

  constructor(seed: bigint) {
    this.#seed = seed;
    const mix = splitMix64(seed);
    const [low, high] = [mix(), mix()];
    this.#s = Uint32Array.of(word(low, 0), word(low, 1), word(high, 0), word(high, 1));
  }

  uint32(): number {
    const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = this.#s;
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    const t2 = s2 ^ s0;
    const t3 = s3 ^ s1;
    this.#s[1] = s1 ^ t2;
    this.#s[0] = s0 ^ t3;
    this.#s[2] = t2 ^ (s1 << 9);
    this.#s[3] = rotateLeft(t3, 11);
    return result;
  }

  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  gaussian(): number {
    if (this.#spare !== undefined) {
      const value = this.#spare;
      this.#spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  fork(purpose: string): SeededRandom {
    // FNV-1a, 64 bit, over the purpose; SplitMix64 then separates seeds that differ in few bits.
    let hash = 0xcbf29ce484222325n;
    for (const byte of new TextEncoder().encode(purpose)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & MASK64;
    return new Xoshiro128(splitMix64(this.#seed ^ hash)());
  }
}

/** The SplitMix64 sequence that starts at `seed`. */
export function splitMix64(seed: bigint): () => bigint {
  let state = seed & MASK64;
  return () => {
    state = (state + GOLDEN64) & MASK64;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK64;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK64;
    return z ^ (z >> 31n);
  };
}

function word(value: bigint, index: 0 | 1): number {
  return Number((value >> BigInt(32 * index)) & 0xffffffffn);
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
