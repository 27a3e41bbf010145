import type { Clock } from "../clock.ts";

/** First time that a command is said again, ms: above what most links take there and back. */
const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;
/** Share of a new round trip in the smoothed one, and how many of those to wait. @see RFC 6298, section 2 */
const SMOOTHING = 1 / 8;
const PATIENCE = 3;

/** When to say a command again that is not answered: after a few round trips, then twice as long, and so on. */
export class RetryPace {
  readonly #clock: Clock;
  #smoothedMs: number | undefined;
  #startedMs = 0;
  #tries = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Another command is said for the first time. */
  started(): void {
    this.#startedMs = this.#clock.nowMs();
    this.#tries = 0;
  }

  /** It was answered. One that was said twice tells nothing of the round trip: which of both was answered? */
  answered(): void {
    if (this.#tries !== 1) return;
    const tripMs = this.#clock.nowMs() - this.#startedMs;
    const before = this.#smoothedMs ?? tripMs;
    this.#smoothedMs = before + SMOOTHING * (tripMs - before);
    this.#tries = 0;
  }

  /** How long to wait for the answer of the try that is made now. */
  nextMs(): number {
    const first = Math.max(FIRST_MS, PATIENCE * (this.#smoothedMs ?? 0));
    const ms = Math.min(first * 2 ** this.#tries, LONGEST_MS);
    this.#tries += 1;
    return ms;
  }
}
