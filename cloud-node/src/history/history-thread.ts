import { Worker } from "node:worker_threads";
import type { BirthFrame } from "@lockstep/protocol";
import { InvariantError } from "../invariant-error.ts";
import type { StoredEpoch, StoredGap, TrafficSum } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";
import { threadFile } from "../thread-file.ts";
import type { Buckets } from "./buckets.ts";
import type { GapPage, History } from "./history.ts";
import { HistoryError } from "./history-error.ts";
import { unpackFailure } from "./history-failure.ts";
import type { HistoryAnswers, HistoryOrder, HistoryQuestion, HistoryRead, HistoryReply } from "./history-messages.ts";
import type { Nearest } from "./nearest.ts";
import type { RowBlock } from "./row-blocks.ts";
import type { Run } from "./run.ts";
import type { TimeRange } from "./time-range.ts";

const WORKER_URL = threadFile(import.meta.url, "history-worker");

/** Questions that wait for their answer: the last of so many waits some seconds, and no crowd takes the node's memory. */
const MOST_QUESTIONS = 256;
/** Reads that are under way, each with a decoder of its own. */
const MOST_READS = 256;
/** Parts of a read that was let in. */
const FOLLOWING: ReadonlySet<string> = new Set(["next", "end"] satisfies HistoryQuestion["kind"][]);

interface Waiting {
  readonly isFollowing: boolean;
  resolve(answer: HistoryReply["answer"]): void;
  reject(error: Error): void;
}

/**
 * The reads of `History` by time, on a thread of their own: decoding a stretch takes milliseconds, for which no device
 * should wait. Questions are answered in order; between the blocks of rows others get their turn. Errors are those of
 * `History`; {HistoryError} `busy` while too much is asked already; after `close`, {StoreError} `closed`. A thread that
 * dies, for want of memory above all, fails the questions that it had; the next one starts another.
 */
export class HistoryThread {
  readonly #file: string;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;
  #asked = 0;
  #reads = 0;
  #failure: Error | undefined;

  /** @param file  opened when the first question is asked */
  constructor(file: string) {
    this.#file = file;
  }

  span(device: string): Promise<TimeRange | undefined> {
    return this.#read("span", device);
  }

  epochs(device: string): Promise<readonly StoredEpoch[]> {
    return this.#read("epochs", device);
  }

  gapsAfter(device: string, after: Pick<StoredGap, "epoch" | "from"> | undefined, most: number): Promise<GapPage> {
    return this.#read("gapsAfter", device, after, most);
  }

  traffic(device: string, from: number, to: number): Promise<TrafficSum> {
    return this.#read("traffic", device, from, to);
  }

  birth(device: string, epoch?: number): Promise<BirthFrame> {
    return this.#read("birth", device, epoch);
  }

  runs(device: string, range: TimeRange): Promise<readonly Run[]> {
    return this.#read("runs", device, range);
  }

  nearest(device: string, range: TimeRange): Promise<Nearest> {
    return this.#read("nearest", device, range);
  }

  buckets(device: string, range: TimeRange, maxBuckets: number, channels?: readonly number[]): Promise<Buckets> {
    return this.#read("buckets", device, range, maxBuckets, channels);
  }

  /** @returns what could not be read */
  async *rows(device: string, range: TimeRange): AsyncGenerator<RowBlock, readonly Run[]> {
    if (this.#reads >= MOST_READS) throw busy("reads", this.#reads, MOST_READS);
    this.#reads += 1;
    try {
      return yield* this.#blocks(device, range);
    } finally {
      this.#reads -= 1;
    }
  }

  async *#blocks(device: string, range: TimeRange): AsyncGenerator<RowBlock, readonly Run[]> {
    const read = (await this.#ask({ kind: "rows", args: [device, range] })) as HistoryAnswers["rows"];
    try {
      for (;;) {
        const step = (await this.#ask({ kind: "next", read })) as HistoryAnswers["next"];
        if ("damage" in step) return step.damage;
        yield step.block;
      }
    } finally {
      // A reader that stops early leaves nothing behind.
      if (this.#failure === undefined) await this.#ask({ kind: "end", read });
    }
  }

  async close(): Promise<void> {
    this.#fail(new StoreError("closed", { file: this.#file }));
    await this.#worker?.terminate();
  }

  #read<K extends HistoryRead>(kind: K, ...args: Parameters<History[K]>): Promise<HistoryAnswers[K]> {
    // The worker answers a question as the read that it names does.
    return this.#ask({ kind, args } as HistoryQuestion) as Promise<HistoryAnswers[K]>;
  }

  #ask(question: HistoryQuestion): Promise<HistoryReply["answer"]> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      const isFollowing = FOLLOWING.has(question.kind);
      if (!isFollowing && this.#asked >= MOST_QUESTIONS) return reject(busy("questions", this.#asked, MOST_QUESTIONS));
      if (!isFollowing) this.#asked += 1;
      this.#lastId += 1;
      const order: HistoryOrder = { id: this.#lastId, question };
      this.#waiting.set(order.id, { isFollowing, resolve, reject });
      this.#started().postMessage(order);
    });
  }

  #started(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(WORKER_URL, { workerData: { file: this.#file } });
    worker.on("message", ({ id, answer, failure }: HistoryReply) => {
      const waiting = this.#waiting.get(id);
      if (this.#waiting.delete(id) && waiting?.isFollowing === false) this.#asked -= 1;
      if (failure === undefined) waiting?.resolve(answer);
      else waiting?.reject(unpackFailure(failure));
    });
    worker.on("error", (cause) => {
      this.#worker = undefined;
      this.#reject(new InvariantError(`the history thread ended: ${String(cause)}`));
    });
    this.#worker = worker;
    return worker;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#reject(this.#failure);
  }

  #reject(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#asked = 0;
  }
}

function busy(of: string, waiting: number, most: number): HistoryError {
  return new HistoryError("busy", { of, waiting, most });
}
