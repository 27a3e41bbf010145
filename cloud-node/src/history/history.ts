import type { BirthFrame } from "@lockstep/protocol";
import { ModuleRegistry } from "../reconstructor/module-registry.ts";
import { releasedModules } from "../released-modules.ts";
import { SqliteReader } from "../store/sqlite-reader.ts";
import type { StoredEpoch, StoredGap, StoreReader, TrafficSum } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";
import { type Buckets, readBuckets } from "./buckets.ts";
import { DeviceReader, type KeptEpoch } from "./device-reader.ts";
import { type Nearest, readNearest } from "./nearest.ts";
import { type RowBlock, readRows } from "./row-blocks.ts";
import { cutRuns, type Run } from "./run.ts";
import { readFlags, readGaps } from "./runs.ts";
import { checkRange, type TimeRange } from "./time-range.ts";

/** One stored sample of every channel. */
export interface HistorySample {
  readonly epoch: number;
  /** Samples of the epoch before this one, those declared lost included. */
  readonly index: number;
  /** Device time, µs. */
  readonly timeUs: number;
  /** Shape (nChannels), in the channels' units; the caller's. */
  readonly values: Float64Array;
  /** Shape (nChannels): 0 ok, 1 invalid, 2 saturated. */
  readonly statuses: Uint8Array;
}

/** Some of a device's declared gaps, and what all of them add up to. */
export interface GapPage {
  readonly declared: readonly StoredGap[];
  readonly totals: { readonly gaps: number; readonly samples: number };
}

/** What to read. */
export interface HistoryRange {
  /** This epoch alone. */
  readonly epoch?: number;
  /** From this index of the epoch on. */
  readonly from?: number;
}

const EVER: TimeRange = { fromUs: Number.NEGATIVE_INFINITY, toUs: Number.POSITIVE_INFINITY };

/**
 * What a store holds of the past, told from nothing but its frames, births, gaps and the codec modules.
 *
 * Reads see what is durable at their time; a node may be running on the store. All of them throw {StoreError}
 * `unknown-device`, and `unknown-model` when this release lacks the module that an epoch was coded with.
 */
export class History {
  readonly #file: string;
  readonly #reader: StoreReader;
  readonly #modules: ModuleRegistry;
  readonly #devices = new Map<string, DeviceReader>();
  /** What reads came upon, by device. */
  readonly #damage = new Map<string, Run[]>();

  /** @internal use `openHistory` */
  constructor(file: string, reader: StoreReader, modules: ModuleRegistry) {
    this.#file = file;
    this.#reader = reader;
    this.#modules = modules;
  }

  /** Names of all devices, in the order in which they were first heard. */
  devices(): string[] {
    return this.#reader.devices().map(({ id }) => id);
  }

  /** The epochs of a device, ascending. */
  epochs(device: string): StoredEpoch[] {
    return this.#reader.epochs(this.#device(device).device.key);
  }

  /** What was declared lost, oldest first. */
  gaps(device: string): StoredGap[] {
    return this.#reader.gaps(this.#device(device).device.key);
  }

  /** The declared gaps behind one of them, or from the first on; at most so many. */
  gapsAfter(device: string, after: Pick<StoredGap, "epoch" | "from"> | undefined, most: number): GapPage {
    const { key } = this.#device(device).device;
    return { declared: this.#reader.gapsAfter(key, after, most), totals: this.#reader.gapTotals(key) };
  }

  /** What a device cost from one minute of Unix time to before another, as far as it is stored. */
  traffic(device: string, from: number, to: number): TrafficSum {
    return this.#reader.traffic(this.#device(device).device.key, from, to);
  }

  /**
   * What a device said when it introduced itself.
   *
   * @param epoch  of which boot; the newest unless given
   * @throws {StoreError} `unknown-device` too when it has no such boot
   */
  birth(device: string, epoch?: number): BirthFrame {
    const found = this.#device(device);
    const boots = this.#reader.epochs(found.device.key);
    const boot = boots.findLast((stored) => epoch === undefined || stored.epoch === epoch);
    const plan = boot === undefined ? undefined : found.plans(boot.birthHash);
    if (plan === undefined) throw new StoreError("unknown-device", { file: this.#file, device });
    return plan.birth;
  }

  /** Device time from the first kept sample to after the last one; undefined when there is none. */
  span(device: string): TimeRange | undefined {
    return this.#device(device).span();
  }

  /**
   * Every kept row of a range at full rate, epoch by epoch, decoded anew as blocks are asked for. What cannot be read is
   * passed over, and told by the generator's return value and by `runs`.
   *
   * @throws {HistoryError} `bad-range`
   */
  *rows(device: string, range: TimeRange): Generator<RowBlock, readonly Run[]> {
    checkRange(range);
    const damage = yield* readRows(this.#device(device), range);
    this.#note(device, damage);
    return damage;
  }

  /**
   * What of a range is not plain samples, in order of time: gaps, invalid and saturated samples, what is not kept any
   * more, and what reads of this history found damaged so far.
   *
   * @throws {HistoryError} `bad-range`
   */
  runs(device: string, range: TimeRange): Run[] {
    checkRange(range);
    const found = this.#device(device);
    const all = [...readGaps(found, range), ...readFlags(found, range), ...(this.#damage.get(device) ?? [])];
    return cutRuns(all, range.fromUs, range.toUs);
  }

  /** Where there are samples beside a range. @throws {HistoryError} `bad-range` */
  nearest(device: string, range: TimeRange): Nearest {
    checkRange(range);
    return readNearest(this.#device(device), range);
  }

  /**
   * Smallest and largest values of a range by time, in at most so many buckets.
   *
   * @param channels  numbers of the newest epoch's channels; all unless given
   * @throws {HistoryError} `bad-range`, `bad-bucket-count`, `unknown-channel`
   */
  buckets(device: string, range: TimeRange, maxBuckets: number, channels?: readonly number[]): Buckets {
    checkRange(range);
    const found = this.#device(device);
    const sums = readBuckets(found, range, maxBuckets, channels);
    this.#note(
      device,
      sums.runs.filter(({ kind }) => kind === "damaged"),
    );
    const runs = cutRuns([...sums.runs, ...readGaps(found, range)], range.fromUs, range.toUs);
    return { ...sums, runs };
  }

  /**
   * Every kept sample of a device, epoch by epoch, decoded anew.
   *
   * @throws {StoreError} `corrupt` where frames no longer give what they gave; all samples before them were given
   */
  *samples(device: string, range: HistoryRange = {}): Generator<HistorySample> {
    for (const kept of this.#device(device).epochs()) {
      if (range.epoch !== undefined && range.epoch !== kept.epoch) continue;
      yield* this.#epochSamples(kept, range.from ?? 0);
    }
  }

  close(): void {
    this.#reader.close();
  }

  *#epochSamples({ epoch, frames }: KeptEpoch, from: number): Generator<HistorySample> {
    for (const part of frames.parts(EVER, () => false)) {
      const decoded = frames.decode(part, EVER);
      let step = decoded.next();
      for (; !step.done; step = decoded.next()) {
        const { twin, rows } = step.value;
        const { samples, lost } = twin.counts;
        const first = samples + lost - rows.count;
        const scales = twin.plan?.scales ?? [];
        for (let row = Math.max(0, from - first); row < rows.count; row++) {
          const at = row * rows.channels;
          yield {
            epoch,
            index: first + row,
            timeUs: twin.rowTimeUs(row),
            values: Float64Array.from(scales, ({ offset, scale }, c) => ((rows.samples[at + c] ?? 0) + offset) * scale),
            statuses: rows.statuses.slice(at, at + rows.channels),
          };
        }
      }
      const [damage] = step.value;
      if (damage !== undefined) {
        const detail = `frames of epoch ${epoch} from ${damage.fromUs} µs on do not decode to what was confirmed`;
        throw new StoreError("corrupt", { file: this.#file, detail });
      }
    }
  }

  #note(device: string, damage: readonly Run[]): void {
    const known = this.#damage.get(device) ?? [];
    const isNew = (run: Run) => !known.some(({ fromUs, toUs }) => fromUs <= run.fromUs && toUs >= run.toUs);
    this.#damage.set(device, [...known, ...damage.filter(isNew)]);
  }

  #device(id: string): DeviceReader {
    const opened = this.#devices.get(id);
    if (opened !== undefined) return opened;
    const known = this.#reader.devices().find((device) => device.id === id);
    if (known === undefined) throw new StoreError("unknown-device", { file: this.#file, device: id });
    const reader = new DeviceReader(this.#file, this.#reader, this.#modules, known);
    this.#devices.set(id, reader);
    return reader;
  }
}

/**
 * Open a store to read its history; a node may be running on it.
 *
 * @throws {StoreError} when the file is not a store of this release
 */
export async function openHistory(storeFile: string): Promise<History> {
  const reader = new SqliteReader(storeFile);
  const modules = new ModuleRegistry();
  for (const wasm of await releasedModules()) modules.add(wasm);
  for (const stored of reader.modules()) modules.addStored(stored);
  return new History(storeFile, reader, modules);
}
