import type { ChannelSample } from "../reconstructor/twin-view.ts";

/** What a stretch of a lane shows besides its line. */
export type RunKind = "lost" | "invalid" | "saturated";

/** A stretch of device time, µs; `to` is exclusive. */
export interface LaneRun {
  readonly kind: RunKind;
  readonly from: number;
  readonly to: number;
}

/**
 * Confirmed samples of one channel as buckets: columns, oldest first. A bucket starts at `times[i]` (µs, a multiple of
 * the width) and shows its two extremes in the order in which they occurred; gaps have no bucket.
 */
export interface LaneBuckets {
  readonly times: number[];
  readonly first: number[];
  readonly second: number[];
  readonly runs: LaneRun[];
}

/** Statuses of samples, as the codec numbers them. */
const STATUS_OK = 0;
const STATUS_INVALID = 1;
/** Two neighbours further apart than this many periods have a gap between them. */
const GAP_PERIODS = 1.5;

/**
 * Width of a bucket: the sample period doubled until the window has no more than so many. Absolute multiples of it are
 * the edges, so that buckets do not flicker as time moves on.
 *
 * @returns µs
 */
export function bucketWidthUs(periodUs: number, windowUs: number, maxBuckets: number): number {
  let widthUs = periodUs;
  while (windowUs / widthUs > maxBuckets) widthUs *= 2;
  return widthUs;
}

/**
 * Put samples into buckets.
 *
 * @param samples  oldest first
 * @param periodUs  time between two samples
 * @param fromUs  buckets that end before are left out
 */
export function bucketSamples(
  samples: readonly ChannelSample[],
  periodUs: number,
  widthUs: number,
  fromUs: number,
): LaneBuckets {
  const lane: LaneBuckets = { times: [], first: [], second: [], runs: [] };
  const firstBucket = Math.floor(fromUs / widthUs);
  let previousUs = Number.NaN;
  let bucket = Number.NaN;
  let extremes: Extremes | undefined;
  const close = (): void => {
    if (extremes === undefined) return;
    const isLowFirst = extremes.minAt <= extremes.maxAt;
    lane.times.push(bucket * widthUs);
    lane.first.push(isLowFirst ? extremes.min : extremes.max);
    lane.second.push(isLowFirst ? extremes.max : extremes.min);
    extremes = undefined;
  };
  for (const [index, { value, status, timeUs }] of samples.entries()) {
    const at = Math.floor(timeUs / widthUs);
    if (at < firstBucket) {
      previousUs = timeUs;
      continue;
    }
    if (timeUs - previousUs > GAP_PERIODS * periodUs) addRun(lane.runs, "lost", previousUs + periodUs, timeUs);
    previousUs = timeUs;
    if (status !== STATUS_OK) {
      addRun(lane.runs, status === STATUS_INVALID ? "invalid" : "saturated", timeUs, timeUs + periodUs);
    }
    if (status === STATUS_INVALID) continue;
    if (at !== bucket) {
      close();
      bucket = at;
    }
    extremes = widen(extremes, value, index);
  }
  close();
  return lane;
}

interface Extremes {
  readonly min: number;
  readonly minAt: number;
  readonly max: number;
  readonly maxAt: number;
}

function widen(extremes: Extremes | undefined, value: number, at: number): Extremes {
  if (extremes === undefined) return { min: value, minAt: at, max: value, maxAt: at };
  if (value < extremes.min) return { ...extremes, min: value, minAt: at };
  if (value > extremes.max) return { ...extremes, max: value, maxAt: at };
  return extremes;
}

function addRun(runs: LaneRun[], kind: RunKind, from: number, to: number): void {
  const last = runs.at(-1);
  if (last !== undefined && last.kind === kind && last.to >= from) runs[runs.length - 1] = { ...last, to };
  else runs.push({ kind, from, to });
}
