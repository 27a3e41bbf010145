import type { Clock, Timer } from "@lockstep/edge-sdk";

/** A clock on which time passes `factor` times as fast, so that time-outs of half a minute take no half a minute. */
export class FastClock implements Clock {
  readonly #factor: number;
  readonly #startMs = performance.now();
  #offsetUs = 1_700_000_000_000_000;

  constructor(factor: number) {
    this.#factor = factor;
  }

  nowMs(): number {
    return (performance.now() - this.#startMs) * this.#factor;
  }

  unixUs(): number {
    return this.#offsetUs + Math.round(this.nowMs() * 1000);
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const handle = setTimeout(callback, delayMs / this.#factor);
    return { cancel: () => clearTimeout(handle) };
  }

  /** Set the wall clock, as an operator or a time server would; `nowMs` goes on. */
  setWall(byUs: number): void {
    this.#offsetUs += byUs;
  }
}
