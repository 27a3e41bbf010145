import type { SeededRandom } from "../seeded-random.ts";

/** Bytes that nobody sent. */
export interface LineNoise {
  /** It comes once in so many bytes that pass, in either direction. */
  readonly everyBytes: number;
  /** Longest piece, bytes. */
  readonly mostBytes: number;
}

/** Puts noise on a line, in front of what passes. */
export class NoiseSource {
  readonly #noise: LineNoise | undefined;
  readonly #random: SeededRandom;
  #disturbed = 0;

  /** @param noise  undefined: the line is clean */
  constructor(noise: LineNoise | undefined, random: SeededRandom) {
    this.#noise = noise;
    this.#random = random;
  }

  /** Pieces of noise so far. */
  get disturbed(): number {
    return this.#disturbed;
  }

  /** What arrives where these bytes are sent: they themselves, at times behind a piece of noise. */
  spoil(chunk: Uint8Array): Uint8Array {
    const noise = this.#noise;
    const random = this.#random;
    if (noise === undefined || random.uniform() >= chunk.length / noise.everyBytes) return chunk;
    this.#disturbed += 1;
    const length = 1 + (random.uint32() % noise.mostBytes);
    return Buffer.concat([Buffer.from(Array.from({ length }, () => random.uint32() & 255)), chunk]);
  }
}
