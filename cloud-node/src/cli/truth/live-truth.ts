import type { Signal, SignalReader } from "@lockstep/sim";
import type { DeviceTruth } from "../../api/api-node.ts";
import type { TimeRange } from "../../history/time-range.ts";
import type { TwinView } from "../../reconstructor/twin-view.ts";
import { type TruthBudget, TruthRing } from "./truth-ring.ts";

/** Newest samples looked at after one commit; the node keeps no more in memory. */
const MAX_ROWS = 2048;
/** Rows of the signal made after one commit: some milliseconds. Whoever comes late to a long run is told later. */
const MOST_ROWS_AT_ONCE = 20_000;
const STATUS_OK = 0;
/** A sample taken at another time than the signal's is not one of it. */
const TOLERANCE = 1 / 4;

/** Of which run of a signal this is the truth. */
export interface TruthOrigin {
  readonly signal: Signal;
  /** Bound per channel, in its unit. */
  readonly eps: readonly number[];
  /** Device time of sample 0, µs. */
  readonly startUs: number;
}

/**
 * Compares a twin with the signal that its device measures, as samples become confirmed. The signal is made again from
 * its seed, beside the node, which sees nothing of it.
 *
 * For eyes while it runs: what `--json` reports is measured at the end, against the reopened store.
 */
export class LiveTruth implements DeviceTruth {
  readonly channels: readonly string[];
  readonly #origin: TruthOrigin;
  readonly #reader: SignalReader;
  readonly #ring: TruthRing;
  readonly #row: Float64Array;
  #hasEnded = false;
  #maxErrorOverEps = Number.NaN;
  #compared = 0;
  #beyondEps = 0;

  /** @param budget  shared by all devices of the node */
  constructor(origin: TruthOrigin, budget: TruthBudget) {
    const { signal } = origin;
    this.#origin = origin;
    this.channels = signal.channels.map(({ name }) => name);
    this.#reader = signal.read();
    this.#row = new Float64Array(signal.channels.length);
    this.#ring = new TruthRing(signal.channels.length, budget);
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

  get known(): TimeRange | undefined {
    const { first, end } = this.#ring;
    return first === end ? undefined : { fromUs: this.#timeUs(first), toUs: Math.ceil(this.#timeUs(end)) };
  }

  rowAt(timeUs: number): Float64Array | undefined {
    const { periodNs } = this.#origin.signal;
    const index = this.#indexOf(timeUs);
    const isOfSignal = Math.abs(this.#timeUs(index) - timeUs) <= (TOLERANCE * periodNs) / 1000;
    return isOfSignal ? this.#ring.row(index) : undefined;
  }

  /** Keep nothing more. */
  release(): void {
    this.#ring.release();
  }

  /**
   * Look at the newest confirmed samples.
   *
   * @param samples  how many became confirmed just now
   */
  observe(view: TwinView, samples: number): void {
    const count = Math.min(samples, MAX_ROWS);
    const columns = this.channels.map((_, c) => view.recent(c, count));
    const newestUs = columns[0]?.at(-1)?.timeUs;
    const before = this.#ring.end;
    if (newestUs !== undefined) this.#follow(this.#indexOf(newestUs));
    for (const [row, { timeUs }] of (columns[0] ?? []).entries()) {
      // Compared once, and not again when an older boot's frames come late.
      const truth = this.#indexOf(timeUs) < before ? undefined : this.rowAt(timeUs);
      if (truth === undefined) continue;
      for (const [c, column] of columns.entries()) this.#compare(c, column[row]?.value, column[row]?.status, truth[c]);
    }
  }

  #follow(index: number): void {
    const end = Math.min(index + 1, this.#ring.end + MOST_ROWS_AT_ONCE);
    while (this.#ring.end < end && !this.#hasEnded) {
      this.#hasEnded = !this.#reader.next(this.#row);
      if (!this.#hasEnded) this.#ring.push(this.#row);
    }
  }

  #indexOf(timeUs: number): number {
    return Math.round(((timeUs - this.#origin.startUs) * 1000) / this.#origin.signal.periodNs);
  }

  #timeUs(index: number): number {
    return this.#origin.startUs + (index * this.#origin.signal.periodNs) / 1000;
  }

  #compare(c: number, value: number | undefined, status: number | undefined, truth = Number.NaN): void {
    if (status !== STATUS_OK || value === undefined) return;
    const share = Math.abs(value - truth) / (this.#origin.eps[c] ?? 0);
    this.#compared += 1;
    if (!(share <= 1)) this.#beyondEps += 1;
    this.#maxErrorOverEps = Math.max(Number.isNaN(this.#maxErrorOverEps) ? 0 : this.#maxErrorOverEps, share);
  }
}
