import type { LaneRun } from "../../src/api/lane-buckets.ts";
import type { LaneUpdate } from "../../src/api/lane-feed.ts";

/** What one lane draws, in uPlot's columns. */
export interface LaneColumns {
  /** Device time, s; two points for each bucket. */
  readonly x: number[];
  readonly confirmed: (number | null)[];
  readonly extrapolated: (number | null)[];
}

/** A point's place in its bucket: the two extremes stand in the middle of its halves. */
const FIRST_PLACE = 0.25;
const SECOND_PLACE = 0.75;
const US_PER_S = 1e6;

/**
 * The buckets of one channel that are in the window, put together from updates.
 */
export class LaneData {
  #widthUs = 0;
  #times: number[] = [];
  #first: number[] = [];
  #second: number[] = [];
  #runs: LaneRun[] = [];

  /** Take what an update says about channel `c`: its first bucket may replace the last one here. */
  apply(update: LaneUpdate, c: number): void {
    const lane = update.lanes[c];
    if (lane === undefined) return;
    if (update.isWhole) this.clear();
    this.#widthUs = update.widthUs;
    const from = lane.times[0] ?? Number.POSITIVE_INFINITY;
    while ((this.#times.at(-1) ?? Number.NEGATIVE_INFINITY) >= from) this.#drop(this.#times.length - 1);
    this.#times.push(...lane.times);
    this.#first.push(...lane.first);
    this.#second.push(...lane.second);
    for (const run of lane.runs) if (!this.#runs.some((known) => isSame(known, run))) this.#runs.push(run);
    this.#forgetBefore(update.confirmedUs - update.windowUs);
  }

  clear(): void {
    this.#times = [];
    this.#first = [];
    this.#second = [];
    this.#runs = [];
  }

  get runs(): readonly LaneRun[] {
    return this.#runs;
  }

  /** The newest confirmed value here: the later of the two in the last bucket. */
  get last(): number | undefined {
    return this.#second.at(-1);
  }

  /**
   * Columns for drawing. Where a bucket is missing a point without value is put in, so that no line joins across it.
   *
   * @param guess  extrapolated instants since the last confirmed one, µs, and their values
   */
  columns(guess: { readonly times: readonly number[]; readonly values: readonly number[] }): LaneColumns {
    const x: number[] = [];
    const confirmed: (number | null)[] = [];
    this.#times.forEach((time, index) => {
      const previous = this.#times[index - 1];
      if (previous !== undefined && time - previous > 1.5 * this.#widthUs) {
        x.push((previous + this.#widthUs) / US_PER_S);
        confirmed.push(null);
      }
      x.push((time + FIRST_PLACE * this.#widthUs) / US_PER_S, (time + SECOND_PLACE * this.#widthUs) / US_PER_S);
      confirmed.push(this.#first[index] ?? null, this.#second[index] ?? null);
    });
    const extrapolated: (number | null)[] = x.map(() => null);
    if (guess.times.length > 0 && extrapolated.length > 0)
      extrapolated[extrapolated.length - 1] = confirmed.at(-1) ?? null;
    const lastX = x.at(-1) ?? Number.NEGATIVE_INFINITY;
    guess.times.forEach((time, index) => {
      if (time / US_PER_S <= lastX) return;
      x.push(time / US_PER_S);
      confirmed.push(null);
      extrapolated.push(guess.values[index] ?? null);
    });
    return { x, confirmed, extrapolated };
  }

  #drop(index: number): void {
    this.#times.splice(index, 1);
    this.#first.splice(index, 1);
    this.#second.splice(index, 1);
  }

  #forgetBefore(us: number): void {
    const kept = this.#times.findIndex((time) => time >= us);
    const drop = kept === -1 ? this.#times.length : kept;
    this.#times.splice(0, drop);
    this.#first.splice(0, drop);
    this.#second.splice(0, drop);
    this.#runs = this.#runs.filter((run) => run.to >= us);
  }
}

function isSame(a: LaneRun, b: LaneRun): boolean {
  return a.kind === b.kind && a.from === b.from;
}
