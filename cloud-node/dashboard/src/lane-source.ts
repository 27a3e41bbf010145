import { formatCounted, formatValue, UNKNOWN } from "../../src/api/number-text.ts";
import { type BucketColumns, type Guess, LaneColumns } from "./lane-columns.ts";
import { LaneRing } from "./lane-ring.ts";
import { type LaneRun, runAt, runText } from "./lane-run.ts";
import { lengthUs, type TimeSpan } from "./time-span.ts";
import { dateAndTime, durationText, type TimeZone } from "./time-text.ts";
import { boundedText, unitText, type ValueChannel } from "./value-text.ts";

/** What is at an instant of a lane. */
export interface LaneReading {
  /** "0.42 ± 0.05 g", or why there is none. */
  readonly value: string;
  /** "confirmed", "expected, without a bound", "clipped", "lost" … */
  readonly state: string;
}

const NO_RUNS: readonly LaneRun[] = [];
const NO_GUESS: Guess = { times: [], values: [] };

/** One channel of a device: its newest buckets, what is on show of it now, and the words for it. */
export class LaneSource {
  readonly channel: ValueChannel;
  readonly ring = new LaneRing();
  readonly columns = new LaneColumns();
  /** What the sensor measured, bucket by bucket; empty where nobody knows. */
  readonly truthRing = new LaneRing();
  readonly #words: (low: number, high: number) => string;
  #truth: LaneColumns | undefined;
  runs: readonly LaneRun[] = NO_RUNS;

  /** @param words  a bucket's extremes as they are read */
  constructor(channel: ValueChannel, words = (low: number, high: number) => boundedText(low, high, channel)) {
    this.channel = channel;
    this.#words = words;
  }

  /** Columns of the truth on show; undefined: none was ever shown. */
  get truth(): LaneColumns | undefined {
    return this.#truth;
  }

  /** Show the newest buckets, and what is expected since. */
  fillLive(guess: Guess, runs: readonly LaneRun[], hasTruth: boolean): void {
    this.columns.fillLive(this.ring, guess);
    this.runs = runs;
    if (hasTruth) this.#truthColumns().fillLive(this.truthRing, NO_GUESS);
    else this.#truth?.clear();
  }

  /** Show a stretch of the past, or nothing. */
  fillPast(buckets: BucketColumns | undefined, runs: readonly LaneRun[]): void {
    this.columns.clear();
    if (buckets !== undefined) this.columns.fillBuckets(buckets);
    this.runs = runs;
  }

  /** Show the truth of a stretch of the past, or nothing. */
  fillTruth(buckets: BucketColumns | undefined): void {
    if (buckets === undefined) this.#truth?.clear();
    else this.#truthColumns().fillBuckets(buckets);
  }

  /** What is at an instant; undefined: the newest that is confirmed. */
  reading(atUs: number | undefined): LaneReading {
    const { columns, channel } = this;
    const at = atUs === undefined ? lastConfirmed(columns) : columns.nearest(atUs / 1e6);
    const us = atUs ?? (columns.x[at] ?? Number.NaN) * 1e6;
    const run = runAt(this.runs, us);
    if (run !== undefined && run.kind !== "saturated") return { value: UNKNOWN, state: runText(run.kind) };
    const isNear = at >= 0 && Math.abs((columns.x[at] ?? Number.NaN) * 1e6 - us) <= columns.bucketS * 1e6;
    if (!isNear) return { value: UNKNOWN, state: "no sample" };
    const confirmed = columns.confirmed[at] ?? Number.NaN;
    if (!Number.isNaN(confirmed)) {
      const other = pairOf(columns, at);
      const [low, high] = [Math.min(confirmed, other), Math.max(confirmed, other)];
      const state = run === undefined ? "confirmed" : `confirmed, ${runText(run.kind)}`;
      return { value: this.#words(low, high), state };
    }
    const guess = columns.guess[at] ?? Number.NaN;
    if (Number.isNaN(guess)) return { value: UNKNOWN, state: "no sample" };
    return { value: `${formatValue(guess, channel.eps)}${unitText(channel.unit)}`, state: "expected, without a bound" };
  }

  /** The value at an instant as it stands beside the channel's name. */
  readingText(atUs: number | undefined): string {
    const { value, state } = this.reading(atUs);
    if (state === "confirmed") return value;
    return value === UNKNOWN ? `– (${state})` : `${value} (${state})`;
  }

  /** The plot in one sentence, for whoever cannot see it. */
  sentence(view: TimeSpan, zone: TimeZone): string {
    const { channel, columns, runs } = this;
    let [low, high] = [Number.NaN, Number.NaN];
    for (const value of columns.confirmed) {
      if (Number.isNaN(value)) continue;
      low = Number.isNaN(low) ? value : Math.min(low, value);
      high = Number.isNaN(high) ? value : Math.max(high, value);
    }
    const range = Number.isNaN(low) ? "no samples" : `from ${this.#words(low, high).replace(" … ", " to ")}`;
    const gaps = runs.filter(({ kind }) => kind !== "saturated").length;
    return [
      `${channel.name}, ${durationText(lengthUs(view))} to ${dateAndTime(view.toUs, zone)}`,
      range,
      gaps === 0 ? "no gaps" : formatCounted(gaps, "gap"),
    ].join(": ");
  }

  #truthColumns(): LaneColumns {
    this.#truth ??= new LaneColumns();
    return this.#truth;
  }
}

function lastConfirmed({ confirmed, length }: LaneColumns): number {
  for (let i = length - 1; i >= 0; i--) if (!Number.isNaN(confirmed[i])) return i;
  return -1;
}

/** The other extreme of the bucket that a point belongs to: the two stand half a width apart. */
function pairOf(columns: LaneColumns, at: number): number {
  const x = columns.x[at] ?? 0;
  for (const other of [at - 1, at + 1]) {
    const value = columns.confirmed[other];
    const isSameBucket = Math.abs((columns.x[other] ?? Number.NaN) - x) < 0.75 * columns.bucketS;
    const isEarlierHalf = Math.floor(x / columns.bucketS) === Math.floor((columns.x[other] ?? 0) / columns.bucketS);
    if (value !== undefined && !Number.isNaN(value) && isSameBucket && isEarlierHalf) return value;
  }
  return columns.confirmed[at] ?? Number.NaN;
}
