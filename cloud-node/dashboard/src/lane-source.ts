import { formatCounted, formatValue, UNKNOWN } from "../../src/api/number-text.ts";
import { type BucketColumns, LaneColumns } from "./lane-columns.ts";
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

/** One channel of a device: its newest buckets, what is on show of it now, and the words for it. */
export class LaneSource {
  readonly channel: ValueChannel;
  readonly ring = new LaneRing();
  readonly columns = new LaneColumns();
  runs: readonly LaneRun[] = NO_RUNS;

  constructor(channel: ValueChannel) {
    this.channel = channel;
  }

  /** Show a stretch of the past, or nothing. */
  fillPast(buckets: BucketColumns | undefined, runs: readonly LaneRun[]): void {
    this.columns.clear();
    if (buckets !== undefined) this.columns.fillBuckets(buckets);
    this.runs = runs;
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
      return { value: boundedText(low, high, channel), state };
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
    const range = Number.isNaN(low) ? "no samples" : `from ${boundedText(low, high, channel).replace(" … ", " to ")}`;
    const gaps = runs.filter(({ kind }) => kind !== "saturated").length;
    return [
      `${channel.name}, ${durationText(lengthUs(view))} to ${dateAndTime(view.toUs, zone)}`,
      range,
      gaps === 0 ? "no gaps" : formatCounted(gaps, "gap"),
    ].join(": ");
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
