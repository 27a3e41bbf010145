import type { BirthFrame } from "@lockstep/protocol";
import type { Buckets } from "../history/buckets.ts";
import type { GapPage } from "../history/history.ts";
import { HistoryError } from "../history/history-error.ts";
import type { Nearest } from "../history/nearest.ts";
import type { RowBlock } from "../history/row-blocks.ts";
import type { Run } from "../history/run.ts";
import type { TimeRange } from "../history/time-range.ts";
import type { StoredEpoch, StoredGap, TrafficSum } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";
import type { HistoryReads } from "./api-node.ts";
import type { BirthOf } from "./history-channels.ts";
import { ApiProblem, storeProblem } from "./problem.ts";

const NO_GAPS: GapPage = { declared: [], totals: { gaps: 0, samples: 0 } };

/** The store's history, as requests read it: on the node's own thread, so that no request delays a frame. */
export class HistoryAccess {
  readonly #reads: HistoryReads;

  constructor(reads: HistoryReads) {
    this.#reads = reads;
  }

  /** Looks up the births of a device. @throws {ApiProblem} `store-failed` */
  async birthsOf(device: string): Promise<BirthOf> {
    const epochs = await this.epochs(device);
    // Most boots of a device are born alike: one question for each way.
    const alike = new Map(epochs.map(({ birthHash, epoch }) => [birthHash, epoch]));
    const births = new Map<string, BirthFrame>();
    for (const [hash, epoch] of alike) births.set(hash, await told(this.#reads.birth(device, epoch)));
    const hashes = new Map(epochs.map(({ epoch, birthHash }) => [epoch, birthHash]));
    return (epoch) => births.get(hashes.get(epoch) ?? "");
  }

  /** All that there is of a device; undefined when nothing is stored yet. @throws {ApiProblem} `store-failed` */
  async span(device: string): Promise<TimeRange | undefined> {
    return await unlessUnborn(this.#reads.span(device), undefined);
  }

  /** @throws {ApiProblem} `store-failed` */
  async epochs(device: string): Promise<readonly StoredEpoch[]> {
    return await unlessUnborn(this.#reads.epochs(device), []);
  }

  /** Frames declared lost: those behind one gap, or from the first on. @throws {ApiProblem} `store-failed` */
  async gapsAfter(
    device: string,
    after: Pick<StoredGap, "epoch" | "from"> | undefined,
    most: number,
  ): Promise<GapPage> {
    return await unlessUnborn(this.#reads.gapsAfter(device, after, most), NO_GAPS);
  }

  /** What was written down of minutes of Unix time; undefined for nothing. @throws {ApiProblem} `store-failed` */
  async traffic(device: string, from: number, to: number): Promise<TrafficSum | undefined> {
    return await unlessUnborn(this.#reads.traffic(device, from, to), undefined);
  }

  /** @throws {ApiProblem} `store-failed` */
  async runs(device: string, range: TimeRange): Promise<readonly Run[]> {
    return await unlessUnborn(this.#reads.runs(device, range), []);
  }

  /** Where there are samples beside a range. @throws {ApiProblem} `store-failed` */
  async nearest(device: string, range: TimeRange): Promise<Nearest> {
    return await unlessUnborn(this.#reads.nearest(device, range), { beforeUs: null, afterUs: null });
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

  /**
   * Full rate, block by block; whoever stops taking blocks stops the decoding.
   *
   * @returns what could not be read
   * @throws {ApiProblem} `store-failed`
   */
  async *rows(device: string, range: TimeRange): AsyncGenerator<RowBlock, readonly Run[]> {
    try {
      return yield* this.#reads.rows(device, range);
    } catch (cause) {
      throw problemOf(cause);
    }
  }
}

/** A device that was born, and not yet written down, has nothing stored. */
async function unlessUnborn<Result>(read: Promise<Result>, nothing: Result): Promise<Result> {
  try {
    return await read;
  } catch (cause) {
    if (cause instanceof StoreError && cause.code === "unknown-device") return nothing;
    throw problemOf(cause);
  }
}

async function told<Result>(read: Promise<Result>): Promise<Result> {
  try {
    return await read;
  } catch (cause) {
    throw problemOf(cause);
  }
}

function problemOf(cause: unknown): unknown {
  if (cause instanceof HistoryError && cause.code === "busy") {
    return new ApiProblem("busy", cause.message, { limit: cause.facts.most ?? 0 }, { cause });
  }
  if (!(cause instanceof StoreError)) return cause;
  return storeProblem(cause);
}
