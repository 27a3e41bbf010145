import { channelScale } from "@lockstep/protocol";
import type { ScriptedDevice, TrueRow } from "./scripted-device.suite.ts";
import type { TimeRange } from "./time-range.ts";

const RASTER_PERIODS = 64;
const RASTER_STEPS = 8;

export interface TrueBucket {
  readonly samples: number;
  readonly first: number;
  readonly second: number;
  readonly invalid: number;
  readonly saturated: number;
}

/** One channel's buckets, by the definition: nothing is summed up on the way. */
export function bruteForceBuckets(
  rows: readonly TrueRow[],
  device: ScriptedDevice,
  channel: number,
  widthUs: number,
  { fromUs, toUs }: TimeRange,
): TrueBucket[] {
  const config = device.birth.channels[channel];
  if (config === undefined) throw new RangeError(`channel ${channel}`);
  const { scale, offset } = channelScale(config);
  const isWide = widthUs >= (RASTER_PERIODS * device.birth.periodNs) / 1000;
  let raster = 1;
  while (isWide && 2 * raster * RASTER_STEPS <= config.e) raster *= 2;
  const byBucket = Map.groupBy(rows, ({ timeUs }) => Math.floor(timeUs / widthUs));
  const buckets: TrueBucket[] = [];
  for (let number = Math.round(fromUs / widthUs); number < Math.round(toUs / widthUs); number++) {
    const own = byBucket.get(number) ?? [];
    const valid = own.filter(({ statuses }) => statuses[channel] !== 1).map(({ samples }) => samples[channel] ?? 0);
    const down = valid.map((x) => Math.floor(x / raster) * raster);
    const up = valid.map((x) => Math.ceil(x / raster) * raster);
    const [low, high] = [Math.min(...down), Math.max(...up)];
    const isLowFirst = down.indexOf(low) <= up.indexOf(high);
    const unit = (x: number) => (valid.length === 0 ? Number.NaN : (x + offset) * scale);
    buckets.push({
      samples: own.length,
      first: unit(isLowFirst ? low : high),
      second: unit(isLowFirst ? high : low),
      invalid: own.filter(({ statuses }) => statuses[channel] === 1).length,
      saturated: own.filter(({ statuses }) => statuses[channel] === 2).length,
    });
  }
  return buckets;
}
