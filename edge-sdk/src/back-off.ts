import { type RandomSource, uniform } from "./random-source.ts";

/** Short enough that a broker's restart is hardly noticed. */
const FIRST_DELAY_MS = 100;
/** Long enough that a thousand devices do not keep a recovering broker down. */
const LONGEST_DELAY_MS = 10_000;

/** Delays between attempts to connect: doubling up to a limit, half of each of them random, so that a fleet spreads out. */
export class BackOff {
  readonly #random: RandomSource;
  readonly #longestMs: number;
  #limitMs = FIRST_DELAY_MS;

  constructor(random: RandomSource, longestMs: number = LONGEST_DELAY_MS) {
    this.#random = random;
    this.#longestMs = longestMs;
  }

  /** The delay before the next attempt, ms. */
  next(): number {
    const delayMs = this.#limitMs * (0.5 + 0.5 * uniform(this.#random));
    this.#limitMs = Math.min(2 * this.#limitMs, this.#longestMs);
    return delayMs;
  }

  /** An attempt has succeeded: start again from the shortest delay. */
  reset(): void {
    this.#limitMs = Math.min(FIRST_DELAY_MS, this.#longestMs);
  }
}
