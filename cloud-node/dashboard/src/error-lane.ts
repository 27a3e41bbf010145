import type { LaneUpdate } from "../../src/api/lane-feed.ts";
import type { TruthBucketsAnswer } from "../../src/api/schemas/truth-schema.ts";
import type { BucketColumns } from "./lane-columns.ts";
import type { LanePicture } from "./lane-picture.ts";
import type { RingLane } from "./lane-ring.ts";
import { LaneSource } from "./lane-source.ts";

/** The promise: the error as a part of eps stays between the two lines. */
export const ERROR_EDGES: NonNullable<LanePicture["fixed"]> = { low: -1.2, high: 1.2, lines: [-1, 1] };

type Extremes = readonly (number | null)[];

/** The lane of the error of all channels together: in each bucket the two that are farthest from the truth. */
export function errorSource(): LaneSource {
  return new LaneSource({ name: "error / eps", unit: "", eps: 0 }, (low, high) => {
    return `${shareText(low)} … ${shareText(high)} of eps`;
  });
}

/** The error as the stream tells it; undefined where the truth is not known. */
export function errorLane({ lanes, truth }: Pick<LaneUpdate, "lanes" | "truth">): RingLane | undefined {
  if (truth === null) return undefined;
  const byTime = new Map<number, readonly [low: number, high: number]>();
  for (const [c, { min, max }] of truth.entries()) {
    for (const [i, time] of (lanes[c]?.times ?? []).entries()) {
      const [low, high] = [min[i], max[i]];
      if (low == null || high == null) continue;
      const [lowest, highest] = byTime.get(time) ?? [low, high];
      byTime.set(time, [Math.min(low, lowest), Math.max(high, highest)]);
    }
  }
  const times = [...byTime.keys()].sort((a, b) => a - b);
  return {
    times,
    first: times.map((time) => byTime.get(time)?.[0] ?? null),
    second: times.map((time) => byTime.get(time)?.[1] ?? null),
    runs: [],
  };
}

/** The truth of one channel as the stream tells it; undefined where it is not known. */
export function truthLane({ lanes, truth }: Pick<LaneUpdate, "lanes" | "truth">, c: number): RingLane | undefined {
  const [lane, own] = [lanes[c], truth?.[c]];
  if (lane === undefined || own === undefined) return undefined;
  return { times: lane.times, first: own.first, second: own.second, runs: [] };
}

/** The error of a stretch of the past; undefined where there is nothing to show. */
export function errorBuckets({ t0Us, widthUs, count, channels }: TruthBucketsAnswer): BucketColumns | undefined {
  if (widthUs === null) return undefined;
  const farthest = (columns: readonly Extremes[], choose: (...values: number[]) => number): Extremes => {
    return Array.from({ length: count }, (_, i) => {
      const known = columns.flatMap((column) => column[i] ?? []);
      return known.length === 0 ? null : choose(...known);
    });
  };
  const first = farthest(
    channels.map(({ min }) => min),
    Math.min,
  );
  const second = farthest(
    channels.map(({ max }) => max),
    Math.max,
  );
  return { t0Us, widthUs, first, second };
}

/** The truth of one channel in a stretch of the past; undefined where there is nothing to show. */
export function truthBuckets({ t0Us, widthUs, channels }: TruthBucketsAnswer, name: string): BucketColumns | undefined {
  const own = channels.find((channel) => channel.name === name);
  return own === undefined || widthUs === null ? undefined : { t0Us, widthUs, first: own.first, second: own.second };
}

/** Away from zero: an error is never made smaller. */
function shareText(share: number): string {
  const text = (Math.ceil(Math.abs(share) * 100 - 1e-9) / 100).toFixed(2);
  return share < 0 ? `−${text}` : text;
}
