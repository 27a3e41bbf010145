/** Frames whose delays are remembered. */
const CAPACITY = 512;

/** Delays of the newest frames, and their quantiles. */
export class LatencyWindow {
  readonly #delaysMs = new Float64Array(CAPACITY);
  #count = 0;

  add(delayMs: number): void {
    this.#delaysMs[this.#count % CAPACITY] = delayMs;
    this.#count += 1;
  }

  /** NaN when there is none yet. */
  quantiles(): { readonly p50: number; readonly p99: number } {
    const sorted = this.#delaysMs.slice(0, Math.min(this.#count, CAPACITY)).sort();
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
    return { p50: at(0.5), p99: at(0.99) };
  }
}
