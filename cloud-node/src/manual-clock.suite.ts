import type { Clock, Timer } from "./clock.ts";

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #nowMs = 1_000;
  #timers: { dueMs: number; run(): void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  unixUs(): number {
    return 1_700_000_000_000_000 + Math.round(this.#nowMs * 1_000);
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = { dueMs: this.#nowMs + delayMs, run: callback };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  /** Let time pass; timers run in order, each at its time. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#timers.toSorted((x, y) => x.dueMs - y.dueMs)[0];
      if (next === undefined || next.dueMs > endMs) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.run();
    }
    this.#nowMs = endMs;
  }
}
