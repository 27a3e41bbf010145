/** What a sparkline shows of the past, µs. */
const WINDOW_US = 60_000_000;
/** Finest part of it that anything shows: one character of the widest sparkline. */
const STEP_US = 1_000_000;

/** The last confirmed value in each second of the last minute, by device time. */
export class RecentTrace {
  readonly #values = new Map<number, number>();

  /** Take note of confirmed samples, oldest first. */
  add(samples: readonly { readonly timeUs: number; readonly value: number }[]): void {
    for (const { timeUs, value } of samples) this.#values.set(Math.floor(timeUs / STEP_US), value);
  }

  /**
   * The window in so many equal parts, oldest first; undefined where nothing is confirmed.
   *
   * @param nowUs  device time at its right edge
   */
  buckets(count: number, nowUs: number): (number | undefined)[] {
    for (const step of this.#values.keys()) if ((step + 1) * STEP_US < nowUs - WINDOW_US) this.#values.delete(step);
    const last = Math.floor(nowUs / STEP_US);
    const steps = WINDOW_US / STEP_US;
    return Array.from({ length: count }, (_, bucket) => {
      const to = last - Math.floor(((count - 1 - bucket) * steps) / count);
      const from = last - Math.floor(((count - bucket) * steps) / count);
      for (let step = to; step > from; step--) {
        const value = this.#values.get(step);
        if (value !== undefined) return value;
      }
      return undefined;
    });
  }
}
