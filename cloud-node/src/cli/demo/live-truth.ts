import type { Signal, SignalReader } from "@lockstep/sim";
import type { DeviceTruth } from "../../api/api-node.ts";
import type { TwinView } from "../../reconstructor/twin-view.ts";

/** Newest samples looked at after one commit; the node keeps no more in memory. */
const MAX_ROWS = 2048;
const STATUS_OK = 0;

/**
 * Compares a twin with the signal that its device measures, as samples become confirmed. The signal is made again from
 * its seed, beside the node, which sees nothing of it.
 *
 * For eyes while it runs: what `--json` reports is measured at the end, against the reopened store.
 */
export class LiveTruth implements DeviceTruth {
  readonly #signal: Signal;
  readonly #eps: readonly number[];
  readonly #startUs: number;
  readonly #reader: SignalReader;
  readonly #truth: Float64Array;
  #read = 0;
  #maxErrorOverEps = Number.NaN;
  #compared = 0;
  #beyondEps = 0;

  /** @param startUs  device time of sample 0, µs */
  constructor(signal: Signal, eps: readonly number[], startUs: number) {
    this.#signal = signal;
    this.#eps = eps;
    this.#startUs = startUs;
    this.#reader = signal.read();
    this.#truth = new Float64Array(signal.channels.length);
  }

  get maxErrorOverEps(): number {
    return this.#maxErrorOverEps;
  }

  get compared(): number {
    return this.#compared;
  }

  get beyondEps(): number {
    return this.#beyondEps;
  }

  /**
   * Look at the newest confirmed samples.
   *
   * @param samples  how many became confirmed just now
   */
  observe(view: TwinView, samples: number): void {
    const count = Math.min(samples, MAX_ROWS);
    const columns = this.#signal.channels.map((_, c) => view.recent(c, count));
    for (const [row, { timeUs }] of (columns[0] ?? []).entries()) {
      const index = Math.round(((timeUs - this.#startUs) * 1000) / this.#signal.periodNs);
      if (index < this.#read) continue;
      for (; this.#read <= index; this.#read++) this.#reader.next(this.#truth);
      for (const [c, column] of columns.entries()) this.#compare(c, column[row]?.value, column[row]?.status);
    }
  }

  #compare(c: number, value: number | undefined, status: number | undefined): void {
    if (status !== STATUS_OK || value === undefined) return;
    const share = Math.abs(value - (this.#truth[c] ?? Number.NaN)) / (this.#eps[c] ?? 0);
    this.#compared += 1;
    if (!(share <= 1)) this.#beyondEps += 1;
    this.#maxErrorOverEps = Math.max(Number.isNaN(this.#maxErrorOverEps) ? 0 : this.#maxErrorOverEps, share);
  }
}
