import { type BirthFrame, decodeFrame } from "@lockstep/protocol";
import { type BirthPlan, planBirth } from "./reconstructor/birth-plan.ts";
import { ModuleRegistry } from "./reconstructor/module-registry.ts";
import { replay } from "./reconstructor/replay.ts";
import { RowBuffer } from "./reconstructor/row-buffer.ts";
import { Twin } from "./reconstructor/twin.ts";
import { releasedModules } from "./released-modules.ts";
import { SqliteReader } from "./store/sqlite-reader.ts";
import type { StoredDevice, StoredEpoch, StoredGap, StoreReader } from "./store/store.ts";
import { StoreError } from "./store/store-error.ts";

/** Statuses of samples, as the codec numbers them. */
const STATUS_OK = 0;
const STATUS_INVALID = 1;

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

/** What to read. */
export interface HistoryRange {
  /** This epoch alone. */
  readonly epoch?: number;
  /** From this index of the epoch on. */
  readonly from?: number;
}

/** A stretch of device time, µs; `toUs` is exclusive. */
export interface TimeRange {
  readonly fromUs: number;
  readonly toUs: number;
}

/** Why values of a stretch are missing, or worth less than their bound says. */
export type RunKind = "gap-pending" | "gap-lost" | "invalid" | "saturated" | "expired" | "damaged";

/** A stretch of device time that a reader must not draw a plain line through. */
export interface Run extends TimeRange {
  readonly kind: RunKind;
  /** null: all channels. */
  readonly channel: number | null;
}

/** Consecutive samples of one epoch. */
export interface RowBlock {
  readonly epoch: number;
  /** Device times, shape (rows), µs, ascending. */
  readonly timesUs: Float64Array;
  /** Shape (rows, channels), in the channels' units. */
  readonly values: Float64Array;
  /** Shape (rows, channels): 0 ok, 1 invalid, 2 saturated. */
  readonly statuses: Uint8Array;
  readonly channels: number;
}

/** The two extremes of each bucket, in the order in which they occurred; NaN where a bucket has no sample. */
export interface BucketColumns {
  /** Shape (count). */
  readonly first: Float64Array;
  readonly second: Float64Array;
}

/** A range in buckets whose edges are absolute multiples of their width. */
export interface Buckets {
  readonly fromUs: number;
  /** The sample period times a power of two. */
  readonly widthUs: number;
  readonly count: number;
  /** One for each channel that was asked for, in that order. */
  readonly channels: readonly BucketColumns[];
  readonly runs: readonly Run[];
}

/** What a store holds of the past, told from nothing but its frames, births, gaps and the codec modules. */
export class History {
  readonly #file: string;
  readonly #reader: StoreReader;
  readonly #modules: ModuleRegistry;

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
    return this.#reader.epochs(this.#key(device));
  }

  /** What was declared lost, oldest first. */
  gaps(device: string): StoredGap[] {
    return this.#reader.gaps(this.#key(device));
  }

  /**
   * Every stored sample of a device, epoch by epoch, decoded anew.
   *
   * @throws {StoreError} `unknown-model` when this release lacks the module that an epoch was coded with; `corrupt` at the frame that no longer gives what it gave; all samples before it were given
   */
  *samples(device: string, range: HistoryRange = {}): Generator<HistorySample> {
    const key = this.#key(device);
    const gaps = this.#reader.gaps(key);
    for (const { epoch } of this.#reader.epochs(key)) {
      if (range.epoch !== undefined && range.epoch !== epoch) continue;
      const own = gaps.filter((gap) => gap.epoch === epoch);
      yield* this.#epochSamples({ id: device, key }, epoch, own, range.from ?? 0);
    }
  }

  /** From the first stored sample of a device to after its last one; undefined where there is none. */
  span(device: string): TimeRange | undefined {
    const span = new RangeSpan();
    for (const { timesUs, periodUs } of this.#blocks(device, [])) span.add(timesUs, periodUs);
    return span.range;
  }

  /**
   * The samples of a range at full rate, epoch by epoch; what is damaged is left out, see `runs`.
   *
   * @throws {StoreError} `unknown-device`; `unknown-model` when this release lacks the module of an epoch
   */
  *rows(device: string, range: TimeRange): Generator<RowBlock> {
    for (const block of this.#blocks(device, [])) {
      const { epoch, channels } = block;
      const from = lowerBound(block.timesUs, range.fromUs);
      const to = lowerBound(block.timesUs, range.toUs);
      if (from >= to) continue;
      yield {
        epoch,
        channels,
        timesUs: block.timesUs.subarray(from, to),
        values: block.values.subarray(from * channels, to * channels),
        statuses: block.statuses.subarray(from * channels, to * channels),
      };
    }
  }

  /** What is missing from a range or flagged in it, by time. @throws {StoreError} as `rows` */
  runs(device: string, range: TimeRange): Run[] {
    const runs: Run[] = [];
    for (const { timesUs, statuses, channels, periodUs } of this.#blocks(device, runs)) {
      timesUs.forEach((timeUs, row) => {
        for (let c = 0; c < channels; c++) {
          const status = statuses[row * channels + c];
          if (status === undefined || status === STATUS_OK) continue;
          extendRun(runs, status === STATUS_INVALID ? "invalid" : "saturated", c, timeUs, timeUs + periodUs);
        }
      });
    }
    return runs
      .filter(({ fromUs, toUs }) => toUs > range.fromUs && fromUs < range.toUs)
      .sort((a, b) => a.fromUs - b.fromUs);
  }

  /**
   * A range as at most `maxBuckets` buckets.
   *
   * @param channels  indices into the channels of the device's newest birth; all when left out
   * @throws {StoreError} as `rows`
   */
  buckets(device: string, range: TimeRange, maxBuckets: number, channels?: readonly number[]): Buckets {
    const birth = this.birth(device);
    const chosen = channels ?? birth.channels.map((_, c) => c);
    let widthUs = birth.periodNs / 1000;
    const countOf = () => Math.ceil(range.toUs / widthUs) - Math.floor(range.fromUs / widthUs);
    while (countOf() > maxBuckets) widthUs *= 2;
    const first = Math.floor(range.fromUs / widthUs);
    const count = Math.max(0, countOf());
    const columns = chosen.map(() => ({
      first: new Float64Array(count).fill(Number.NaN),
      second: new Float64Array(count).fill(Number.NaN),
    }));
    for (const block of this.rows(device, range)) {
      block.timesUs.forEach((timeUs, row) => {
        const bucket = Math.floor(timeUs / widthUs) - first;
        for (const [i, c] of chosen.entries()) {
          const at = row * block.channels + c;
          const column = columns[i];
          if (c >= block.channels || column === undefined || block.statuses[at] === STATUS_INVALID) continue;
          widenBucket(column, bucket, block.values[at] ?? Number.NaN);
        }
      });
    }
    return { fromUs: first * widthUs, widthUs, count, channels: columns, runs: this.runs(device, range) };
  }

  /**
   * What a device said when it introduced itself.
   *
   * @param epoch  of which boot; the newest when left out
   * @throws {StoreError} as `rows`; `unknown-device` too when it has no such boot
   */
  birth(device: string, epoch?: number): BirthFrame {
    const key = this.#key(device);
    const found = this.#reader.epochs(key).findLast((stored) => epoch === undefined || stored.epoch === epoch);
    const plan = this.#planLookup(key)(found?.birthHash ?? "");
    if (plan === undefined) throw new StoreError("unknown-device", { file: this.#file, device });
    return plan.birth;
  }

  close(): void {
    this.#reader.close();
  }

  /** Decode everything of a device, and note what is lost. */
  *#blocks(device: string, runs: Run[]): Generator<RowBlock & { readonly periodUs: number }> {
    const key = this.#key(device);
    const allGaps = this.#reader.gaps(key);
    for (const { epoch } of this.#reader.epochs(key)) {
      const rows = new RowBuffer();
      const twin = new Twin(device, epoch, this.#planLookup(key), rows);
      const gaps = allGaps.filter((gap) => gap.epoch === epoch);
      const steps = replay(twin, this.#reader, key, gaps);
      let endUs: number | undefined;
      let periodUs = 0;
      let seq = 0;
      let step = steps.next();
      for (; !step.done; step = steps.next()) {
        const { plan } = twin;
        if (plan === undefined || rows.count === 0) continue;
        periodUs = plan.birth.periodNs / 1000;
        const timesUs = Float64Array.from({ length: rows.count }, (_, row) => twin.rowTimeUs(row));
        const values = Float64Array.from({ length: rows.count * rows.channels }, (_, i) => {
          const { offset, scale } = plan.scales[i % rows.channels] ?? { offset: 0, scale: 1 };
          return ((rows.samples[i] ?? 0) + offset) * scale;
        });
        const statuses = rows.statuses.slice(0, values.length);
        const startUs = timesUs[0] ?? 0;
        if (step.value.seq > seq && endUs !== undefined && startUs > endUs) {
          extendRun(runs, "gap-lost", null, endUs, startUs);
        }
        seq = step.value.seq + 1;
        endUs = twin.nextTimeUs;
        yield { epoch, channels: rows.channels, timesUs, values, statuses, periodUs };
      }
      if (step.value.kind === "damaged" && endUs !== undefined) {
        extendRun(runs, "damaged", null, endUs, endUs + periodUs * (twin.plan?.birth.frameSamples ?? 1));
      }
    }
  }

  *#epochSamples(
    { id, key }: StoredDevice,
    epoch: number,
    gaps: readonly StoredGap[],
    from: number,
  ): Generator<HistorySample> {
    const rows = new RowBuffer();
    const twin = new Twin(id, epoch, this.#planLookup(key), rows);
    const steps = replay(twin, this.#reader, key, gaps);
    let step = steps.next();
    for (; !step.done; step = steps.next()) {
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
    if (step.value.kind === "damaged") {
      const detail = `frame ${step.value.seq} of epoch ${epoch} does not decode to what was confirmed`;
      throw new StoreError("corrupt", { file: this.#file, detail });
    }
  }

  #planLookup(key: number): (hash: string) => BirthPlan | undefined {
    const plans = new Map<string, BirthPlan>();
    return (hash) => {
      const known = plans.get(hash);
      if (known !== undefined) return known;
      const bytes = this.#reader.birth(key, hash);
      const birth = bytes === undefined ? undefined : decodeFrame(bytes);
      const plan = birth?.kind === "birth" ? planBirth(birth, this.#modules) : undefined;
      if (plan === "unknown-model" && birth?.kind === "birth") {
        throw new StoreError("unknown-model", { file: this.#file, model: birth.model });
      }
      if (plan === undefined || typeof plan === "string") return undefined;
      plans.set(hash, plan);
      return plan;
    };
  }

  #key(device: string): number {
    const known = this.#reader.devices().find(({ id }) => id === device);
    if (known === undefined) throw new StoreError("unknown-device", { file: this.#file, device });
    return known.key;
  }
}

/** The hull of stretches of time. */
class RangeSpan {
  #fromUs = Number.POSITIVE_INFINITY;
  #toUs = Number.NEGATIVE_INFINITY;

  add(timesUs: Float64Array, periodUs: number): void {
    this.#fromUs = Math.min(this.#fromUs, timesUs[0] ?? this.#fromUs);
    this.#toUs = Math.max(this.#toUs, (timesUs.at(-1) ?? this.#toUs) + periodUs);
  }

  get range(): TimeRange | undefined {
    return this.#fromUs < this.#toUs ? { fromUs: this.#fromUs, toUs: this.#toUs } : undefined;
  }
}

/** Index of the first time that is not before `timeUs`. */
function lowerBound(timesUs: Float64Array, timeUs: number): number {
  const at = timesUs.findIndex((time) => time >= timeUs);
  return at === -1 ? timesUs.length : at;
}

function extendRun(runs: Run[], kind: RunKind, channel: number | null, fromUs: number, toUs: number): void {
  const at = runs.findLastIndex((run) => run.kind === kind && run.channel === channel);
  const last = runs[at];
  if (last !== undefined && last.toUs >= fromUs) runs[at] = { ...last, toUs };
  else runs.push({ kind, channel, fromUs, toUs });
}

/** Take a value into a bucket, keeping its extremes in the order in which they occurred. */
function widenBucket({ first, second }: BucketColumns, bucket: number, value: number): void {
  const [a = Number.NaN, b = Number.NaN] = [first[bucket], second[bucket]];
  if (Number.isNaN(a)) {
    first[bucket] = value;
    second[bucket] = value;
  } else if (value > Math.max(a, b)) {
    first[bucket] = Math.min(a, b);
    second[bucket] = value;
  } else if (value < Math.min(a, b)) {
    first[bucket] = Math.max(a, b);
    second[bucket] = value;
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
