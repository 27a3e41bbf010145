import { setImmediate } from "node:timers/promises";
import { type Buckets, type History, openHistory, type RowBlock, type Run, type TimeRange } from "../history.ts";
import type { StoredEpoch, StoredGap } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";
import type { BirthOf } from "./history-channels.ts";
import { ApiProblem } from "./problem.ts";

/** How long decoding may keep the node from taking frames in, ms. */
const SLICE_MS = 8;

/**
 * The store's history, as requests read it: opened when it is first asked for, and in slices, so that frames keep coming
 * in meanwhile.
 */
export class HistoryAccess {
  readonly #storeFile: string;
  #opened: Promise<History> | undefined;
  #isClosed = false;

  constructor(storeFile: string) {
    this.#storeFile = storeFile;
  }

  /** Looks up the births of a device. @throws {ApiProblem} `store-failed` */
  async birthsOf(device: string): Promise<BirthOf> {
    return await this.#read<BirthOf>(
      (history) => (epoch) => history.birth(device, epoch),
      () => undefined,
    );
  }

  /** All that there is of a device; undefined when nothing is stored yet. @throws {ApiProblem} `store-failed` */
  async span(device: string): Promise<TimeRange | undefined> {
    return await this.#read((history) => history.span(device), undefined);
  }

  /** @throws {ApiProblem} `store-failed` */
  async epochs(device: string): Promise<readonly StoredEpoch[]> {
    return await this.#read((history) => history.epochs(device), []);
  }

  /** Frames declared lost. @throws {ApiProblem} `store-failed` */
  async gaps(device: string): Promise<readonly StoredGap[]> {
    return await this.#read((history) => history.gaps(device), []);
  }

  /** @throws {ApiProblem} `store-failed` */
  async runs(device: string, range: TimeRange): Promise<readonly Run[]> {
    return await this.#read((history) => history.runs(device, range), []);
  }

  /** @throws {ApiProblem} `store-failed` */
  async buckets(
    device: string,
    range: TimeRange,
    maxBuckets: number,
    channels: readonly number[],
  ): Promise<Buckets | undefined> {
    return await this.#read((history) => history.buckets(device, range, maxBuckets, channels), undefined);
  }

  /** Full rate, block by block; whoever stops taking blocks stops the decoding. @throws {ApiProblem} `store-failed` */
  async *rows(device: string, range: TimeRange): AsyncGenerator<RowBlock> {
    const blocks = await this.#read((history) => history.rows(device, range), undefined);
    if (blocks === undefined) return;
    try {
      let sliceMs = performance.now();
      for (;;) {
        const next = blocks.next();
        if (next.done === true) return;
        yield next.value;
        if (performance.now() - sliceMs < SLICE_MS) continue;
        await setImmediate();
        if (this.#isClosed) throw new ApiProblem("closing", "the node is shutting down: ask again later");
        sliceMs = performance.now();
      }
    } catch (cause) {
      throw storeProblem(cause);
    } finally {
      blocks.return(undefined);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const opened = this.#opened;
    this.#opened = undefined;
    (await opened?.catch(() => undefined))?.close();
  }

  async #read<Result>(read: (history: History) => Result, nothing: Result): Promise<Result> {
    try {
      return read(await this.#history());
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      // Born, and not yet written down.
      if (cause.code === "unknown-device") return nothing;
      throw storeProblem(cause);
    }
  }

  async #history(): Promise<History> {
    this.#opened ??= openHistory(this.#storeFile);
    try {
      return await this.#opened;
    } catch (cause) {
      this.#opened = undefined;
      throw cause;
    }
  }
}

function storeProblem(cause: unknown): unknown {
  if (!(cause instanceof StoreError)) return cause;
  return new ApiProblem("store-failed", `${cause.message}; see the node's log`, { store: cause.code }, { cause });
}
