import type { Clock, Timer } from "@lockstep/edge-sdk";

/** A clock that moves only when it is told to: a simulation takes no longer than its arithmetic. */
export class ManualClock implements Clock {
  readonly #startUs: number;
  #nowMs = 0;
  #order = 0;
  #timers: { readonly atMs: number; readonly order: number; readonly callback: () => void }[] = [];

  /** @param startUs  wall time at the start, µs since 1970 */
  constructor(startUs = 0) {
    this.#startUs = startUs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  unixUs(): number {
    return this.#startUs + Math.round(this.#nowMs * 1000);
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.length;
  }

  /**
   * Let time pass: every timer that falls due runs at its own time, in order, and whatever it causes in later
   * microtasks happens before the next one.
   */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#nowMs + byMs;
    await settle();
    for (;;) {
      const due = this.#timers.filter(({ atMs }) => atMs <= endMs);
      const next = due.sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
      await settle();
    }
    this.#nowMs = endMs;
  }
}

/** Let all microtasks run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
