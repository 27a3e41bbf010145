import { rasterShift } from "../levels/bucket-place.ts";
import { Level } from "../levels/level.ts";
import { LevelBuilder } from "../levels/level-builder.ts";
import { birthOf, shiftOf, unpackLevel } from "../levels/level-codec.ts";
import type { BirthPlan } from "../reconstructor/birth-plan.ts";
import { damageOf } from "../store/damage.ts";
import type { StoredStretch } from "../store/store.ts";
import { BucketSums, type ChannelBuckets, type SummedChannel } from "./bucket-sums.ts";
import type { DeviceReader, KeptEpoch } from "./device-reader.ts";
import type { EpochPart } from "./epoch-cover.ts";
import { HistoryError } from "./history-error.ts";
import { cutRuns, type Run } from "./run.ts";
import { intersection, type TimeRange } from "./time-range.ts";

/** More than any screen has pixels. */
export const MOST_BUCKETS = 65_536;

/**
 * Smallest and largest values by time. Buckets are a power of two of the sample period wide, and their edges are
 * multiples of that since Unix 0 of device time, so that they stay where they are whatever the range. The period is that
 * of the device's newest epoch.
 *
 * Of buckets of 64 periods and more the smaller value is rounded down and the larger one up, each by less than an eighth
 * of the channel's bound; see `rasterShift`.
 */
export interface Buckets {
  /** Start of the first bucket; whole buckets are told, also where the range begins or ends within one. */
  readonly fromUs: number;
  readonly widthUs: number;
  readonly count: number;
  /** Shape (count): instants, whatever their status. */
  readonly samples: Uint32Array;
  /** One for each channel that was asked for. */
  readonly channels: readonly ChannelBuckets[];
  /** Invalid and saturated samples to the bucket, all others to the microsecond. */
  readonly runs: readonly Run[];
}

interface BucketPlan {
  readonly periodUs: number;
  readonly shift: number;
  readonly first: number;
  readonly count: number;
  readonly channels: readonly number[];
}

/**
 * Sum a range up.
 *
 * @param range  what of it is kept is summed up; outside there are no buckets
 * @param maxBuckets  1 … MOST_BUCKETS
 * @param channels  all unless given
 * @throws {HistoryError} `bad-bucket-count`, `unknown-channel`
 */
export function readBuckets(
  device: DeviceReader,
  range: TimeRange,
  maxBuckets: number,
  channels: readonly number[] | undefined,
): Buckets {
  if (!Number.isInteger(maxBuckets) || maxBuckets < 1 || maxBuckets > MOST_BUCKETS) {
    throw new HistoryError("bad-bucket-count", { count: maxBuckets, most: MOST_BUCKETS });
  }
  const newest = device.newest();
  const all = newest?.birth.channels.length ?? 0;
  for (const channel of channels ?? []) {
    if (!Number.isInteger(channel) || channel < 0 || channel >= all)
      throw new HistoryError("unknown-channel", { channel, device: device.device.id, channels: all });
  }
  const epochs = device.epochs();
  const span = device.span(epochs);
  const asked = channels ?? Array.from({ length: all }, (_, c) => c);
  const kept = span === undefined ? { fromUs: 0, toUs: 0 } : intersection(range, span);
  const periodUs = (newest?.birth.periodNs ?? 1_000_000) / 1000;
  const plan = planBuckets(kept, periodUs, maxBuckets, asked);
  const widthUs = periodUs * 2 ** plan.shift;
  const sums = new BucketSums(plan.first, plan.count, widthUs, asked);
  const whole = { fromUs: plan.first * widthUs, toUs: (plan.first + plan.count) * widthUs };
  const damage = plan.count === 0 ? [] : epochs.flatMap((epoch) => sumEpoch(device, epoch, whole, plan, sums));
  const runs = [...damage, ...sums.runs()];
  return { fromUs: whole.fromUs, widthUs, count: plan.count, samples: sums.samples, channels: sums.channels(), runs };
}

function planBuckets(
  { fromUs, toUs }: TimeRange,
  periodUs: number,
  most: number,
  channels: readonly number[],
): BucketPlan {
  for (let shift = 0; ; shift++) {
    const first = Math.floor(fromUs / periodUs / 2 ** shift);
    const count = fromUs === toUs ? 0 : Math.ceil(toUs / periodUs / 2 ** shift) - first;
    if (count <= most) return { periodUs, shift, first, count, channels };
  }
}

/** @returns what could not be read */
function sumEpoch(
  device: DeviceReader,
  { frames }: KeptEpoch,
  range: TimeRange,
  plan: BucketPlan,
  sums: BucketSums,
): Run[] {
  const damage: Run[] = [];
  const suffices = (stretch: StoredStretch) =>
    ownShift(plan, device.plans(birthOf(stretch.levels))) >= shiftOf(stretch.levels);
  for (const part of frames.parts(range, suffices)) {
    if (part.kind === "stretch" && suffices(part.stretch) && addStored(device, part.stretch, plan, sums)) continue;
    const run = addDecoded(frames, part, range, plan, sums);
    damage.push(...run);
  }
  return cutRuns(damage, range.fromUs, range.toUs);
}

/** @returns false where the level cannot be read; the frames say the same */
function addStored(
  device: DeviceReader,
  { levels, fromUs }: StoredStretch,
  plan: BucketPlan,
  sums: BucketSums,
): boolean {
  const birth = device.plans(birthOf(levels));
  const stored = damageOf(() => unpackLevel(levels, fromUs));
  if (birth === undefined || stored === undefined || stored === "damaged") return false;
  const shift = ownShift(plan, birth);
  sums.add(stored.level, shift, summedChannels(birth, plan, shift));
  return true;
}

function addDecoded(
  frames: KeptEpoch["frames"],
  part: EpochPart,
  range: TimeRange,
  plan: BucketPlan,
  sums: BucketSums,
): Run[] {
  let birth: BirthPlan | undefined;
  let builder: LevelBuilder | undefined;
  let channels: readonly (SummedChannel | undefined)[] = [];
  const flush = () => {
    if (builder !== undefined) sums.add(builder.level, plan.shift, channels);
    builder = undefined;
  };
  const decoded = frames.decode(part, range);
  let step = decoded.next();
  for (; !step.done; step = decoded.next()) {
    const { twin, rows } = step.value;
    if (twin.plan === undefined) continue;
    if (twin.plan !== birth) flush();
    birth = twin.plan;
    if (builder === undefined) {
      const own = Math.floor(Math.log2((plan.periodUs * 2 ** plan.shift * 1000) / birth.birth.periodNs) + 1e-9);
      channels = summedChannels(birth, plan, own);
      const rasterShifts = birth.birth.channels.map(({ e }) => rasterShift(e, own));
      const shape = { channels: rows.channels, periodUs: plan.periodUs, rasterShifts };
      builder = new LevelBuilder(shape, new Level(rows.channels, plan.shift), Number.POSITIVE_INFINITY);
    }
    builder.add(rows, (row) => twin.rowTimeUs(row));
  }
  flush();
  return step.value;
}

/** The shift at which buckets of a birth's own periods are those of the plan; −1 where none are. */
function ownShift({ periodUs, shift }: BucketPlan, birth: BirthPlan | undefined): number {
  if (birth === undefined) return -1;
  const own = Math.log2((periodUs * 1000) / birth.birth.periodNs) + shift;
  return Number.isInteger(own) ? own : -1;
}

function summedChannels(
  { birth, scales }: BirthPlan,
  { channels }: BucketPlan,
  shift: number,
): (SummedChannel | undefined)[] {
  return channels.map((channel) => {
    const [scale, config] = [scales[channel], birth.channels[channel]];
    if (scale === undefined || config === undefined) return undefined;
    return { channel, scale, rasterShift: rasterShift(config.e, shift) };
  });
}
