import type { BirthPlan } from "../reconstructor/birth-plan.ts";
import type { ModuleRegistry } from "../reconstructor/module-registry.ts";
import type { PlanLookup } from "../reconstructor/twin.ts";
import type { StoredDevice, StoredEpoch, StoredGap, StoreReader } from "../store/store.ts";
import { EpochReader } from "./epoch-reader.ts";
import { storedPlans } from "./plan-lookup.ts";
import type { Run } from "./run.ts";
import type { TimeRange } from "./time-range.ts";

/** One epoch of a device, ready to be read. */
export interface KeptEpoch {
  readonly epoch: number;
  readonly gaps: readonly StoredGap[];
  /** Seq up to which nothing is kept any more; −1 for none. */
  readonly expired: number;
  readonly frames: EpochReader;
}

/** What the store keeps of one device. */
export class DeviceReader {
  readonly device: StoredDevice;
  readonly reader: StoreReader;
  readonly plans: PlanLookup;
  /** Of gaps that an earlier release wrote without their times. */
  readonly toldGaps = new Map<string, Run>();

  constructor(file: string, reader: StoreReader, modules: ModuleRegistry, device: StoredDevice) {
    this.device = device;
    this.reader = reader;
    this.plans = storedPlans(file, reader, modules, device.key);
  }

  /** In order of their numbers. */
  epochs(): KeptEpoch[] {
    const { reader, device, plans } = this;
    const gaps = Map.groupBy(reader.gaps(device.key), ({ epoch }) => epoch);
    const expiries = new Map(reader.expiries(device.key).map(({ epoch, through }) => [epoch, through]));
    return reader.epochs(device.key).map(({ epoch }) => {
      const expired = expiries.get(epoch) ?? -1;
      const own = gaps.get(epoch) ?? [];
      const frames = new EpochReader({ reader, device, epoch, plans, gaps: own, expired });
      return { epoch, gaps: own, expired, frames };
    });
  }

  /** What the newest epoch was born with; undefined for a birth that its module refuses. */
  newest(): BirthPlan | undefined {
    const last: StoredEpoch | undefined = this.reader.epochs(this.device.key).at(-1);
    return last === undefined ? undefined : this.plans(last.birthHash);
  }

  /** Time of all that is kept; undefined when that is no sample. */
  span(epochs = this.epochs()): TimeRange | undefined {
    let [fromUs, toUs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const { frames } of epochs) {
      const times = frames.times();
      fromUs = Math.min(fromUs, times?.fromUs ?? Number.POSITIVE_INFINITY);
      toUs = Math.max(toUs, times?.toUs ?? Number.NEGATIVE_INFINITY);
    }
    return fromUs < toUs ? { fromUs, toUs } : undefined;
  }
}
