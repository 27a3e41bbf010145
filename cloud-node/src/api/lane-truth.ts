import type { ChannelSample } from "../reconstructor/twin-view.ts";
import type { DeviceTruth } from "./api-node.ts";
import { ErrorBuckets, errorShare, roundedShare } from "./error-buckets.ts";
import type { LaneBuckets } from "./lane-buckets.ts";
import { rounderOf } from "./value-digits.ts";

/** Of the buckets of a lane, in their order; null where nothing was compared. */
export interface LaneTruth {
  /** Smallest and largest (reconstruction − truth) / eps. */
  readonly min: readonly (number | null)[];
  readonly max: readonly (number | null)[];
  /** Extremes of the truth in the order in which they occurred. */
  readonly first: readonly (number | null)[];
  readonly second: readonly (number | null)[];
}

const STATUS_OK = 0;

/**
 * Compare the samples of a lane with the truth.
 *
 * @param samples  those that its buckets are of, and maybe some before
 */
export function laneTruth(
  { times }: LaneBuckets,
  samples: readonly ChannelSample[],
  widthUs: number,
  channel: { readonly name: string; readonly eps: number },
  truth: DeviceTruth,
): LaneTruth {
  const places = new Map(times.map((time, place) => [time, place]));
  const buckets = new ErrorBuckets(times.length, 1);
  const place = truth.channels.indexOf(channel.name);
  for (const { value, status, timeUs } of samples) {
    const bucket = places.get(Math.floor(timeUs / widthUs) * widthUs);
    const original = bucket === undefined || status !== STATUS_OK ? undefined : truth.rowAt(timeUs)?.[place];
    if (bucket === undefined || original === undefined) continue;
    buckets.add(bucket, 0, errorShare(value, original, channel.eps), original);
  }
  const [columns] = buckets.columns;
  const round = rounderOf(channel.eps);
  const shares = (values: Float64Array | undefined) => Array.from(values ?? [], roundedShare);
  const truths = (values: Float64Array | undefined) =>
    Array.from(values ?? [], (original) => (Number.isNaN(original) ? null : round(original)));
  return {
    min: shares(columns?.min),
    max: shares(columns?.max),
    first: truths(columns?.first),
    second: truths(columns?.second),
  };
}
