import { decodeFrame } from "@lockstep/protocol";
import { type BirthPlan, planBirth } from "./reconstructor/birth-plan.ts";
import { ModuleRegistry } from "./reconstructor/module-registry.ts";
import { replay } from "./reconstructor/replay.ts";
import { RowBuffer } from "./reconstructor/row-buffer.ts";
import { Twin } from "./reconstructor/twin.ts";
import { releasedModules } from "./released-modules.ts";
import { SqliteReader } from "./store/sqlite-reader.ts";
import type { StoredDevice, StoredEpoch, StoredGap, StoreReader } from "./store/store.ts";
import { StoreError } from "./store/store-error.ts";

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

  close(): void {
    this.#reader.close();
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
