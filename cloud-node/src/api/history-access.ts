import type { Buckets } from "../history/buckets.ts";
import { type History, openHistory } from "../history/history.ts";
import type { RowBlock } from "../history/row-blocks.ts";
import type { Run } from "../history/run.ts";
import type { TimeRange } from "../history/time-range.ts";
import type { StoredEpoch, StoredGap } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";
import type { ApiNode, HistoryReads } from "./api-node.ts";
import type { BirthOf } from "./history-channels.ts";
import { ApiProblem } from "./problem.ts";

/**
 * The store's history, as requests read it: what is decoded comes from the node's own thread, what is only looked up from
 * a connection that is opened when it is first needed.
 */
export class HistoryAccess {
  readonly #storeFile: string;
  readonly #reads: HistoryReads;
  #opened: Promise<History> | undefined;

  constructor({ storeFile, history }: Pick<ApiNode, "storeFile" | "history">) {
    this.#storeFile = storeFile;
    this.#reads = history;
  }

  /** Looks up the births of a device. @throws {ApiProblem} `store-failed` */
  async birthsOf(device: string): Promise<BirthOf> {
    const history = await this.#history();
    return (epoch) => told(() => history.birth(device, epoch));
  }

  /** All that there is of a device; undefined when nothing is stored yet. @throws {ApiProblem} `store-failed` */
  async span(device: string): Promise<TimeRange | undefined> {
    return await unlessUnborn(this.#reads.span(device), undefined);
  }

  /** @throws {ApiProblem} `store-failed` */
  async epochs(device: string): Promise<readonly StoredEpoch[]> {
    const history = await this.#history();
    return told(() => history.epochs(device)) ?? [];
  }

  /** Frames declared lost. @throws {ApiProblem} `store-failed` */
  async gaps(device: string): Promise<readonly StoredGap[]> {
    const history = await this.#history();
    return told(() => history.gaps(device)) ?? [];
  }

  /** @throws {ApiProblem} `store-failed` */
  async runs(device: string, range: TimeRange): Promise<readonly Run[]> {
    return await unlessUnborn(this.#reads.runs(device, range), []);
  }

  /** @throws {ApiProblem} `store-failed` */
  async buckets(
    device: string,
    range: TimeRange,
    maxBuckets: number,
    channels: readonly number[],
  ): Promise<Buckets | undefined> {
    return await unlessUnborn(this.#reads.buckets(device, range, maxBuckets, channels), undefined);
  }

  /** Full rate, block by block; whoever stops taking blocks stops the decoding. @throws {ApiProblem} `store-failed` */
  async *rows(device: string, range: TimeRange): AsyncGenerator<RowBlock> {
    try {
      yield* this.#reads.rows(device, range);
    } catch (cause) {
      throw problemOf(cause);
    }
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    (await opened?.catch(() => undefined))?.close();
  }

  async #history(): Promise<History> {
    this.#opened ??= openHistory(this.#storeFile);
    try {
      return await this.#opened;
    } catch (cause) {
      this.#opened = undefined;
      throw problemOf(cause);
    }
  }
}

/** A device that was born, and not yet written down, has nothing stored. */
async function unlessUnborn<Result>(read: Promise<Result>, nothing: Result): Promise<Result> {
  try {
    return await read;
  } catch (cause) {
    if (isUnborn(cause)) return nothing;
    throw problemOf(cause);
  }
}

function told<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (cause) {
    if (isUnborn(cause)) return undefined;
    throw problemOf(cause);
  }
}

function isUnborn(cause: unknown): boolean {
  return cause instanceof StoreError && cause.code === "unknown-device";
}

function problemOf(cause: unknown): unknown {
  if (!(cause instanceof StoreError)) return cause;
  if (cause.code === "closed") {
    return new ApiProblem("closing", "the node is shutting down: ask again later", {}, { cause });
  }
  return new ApiProblem("store-failed", `${cause.message}; see the node's log`, { store: cause.code }, { cause });
}
