import { Worker } from "node:worker_threads";
import { InvariantError } from "../../invariant-error.ts";
import { threadFile } from "../../thread-file.ts";
import type { EncodedChunk } from "./chunk-encode.ts";
import { buffersOf, type ChunkOrder, type ChunkRefusal, valuesOf } from "./chunk-order.ts";
import { TrajectoryError } from "./trajectory-error.ts";

const THREAD_URL = threadFile(import.meta.url, "chunk-thread");
/** Values in all threads together, unless one chunk alone has more: 8 bytes each, and three times that to code them. */
const MOST_VALUES = 1 << 25;

/** Threads that code chunks side by side. A chunk's bytes do not depend on who codes it. */
export class ChunkPool {
  readonly #threads: ChunkThread[];
  #values = 0;
  #isClosed = false;

  /** @param threads  1 …; each is started as soon as the one before it runs: the first chunk is still being read then */
  constructor(threads: number) {
    this.#threads = Array.from({ length: threads }, (_, i) => new ChunkThread(() => this.#start(i + 1)));
    this.#start(0);
  }

  #start(index: number): void {
    if (!this.#isClosed) this.#threads[index]?.start();
  }

  /** Whether a thread, and memory, is free for a chunk. */
  hasRoom(order: ChunkOrder): boolean {
    if (this.#values > 0 && this.#values + valuesOf(order) > MOST_VALUES) return false;
    return this.#threads.some(({ isIdle }) => isIdle);
  }

  /**
   * Code a chunk, for which there is room. Its arrays are handed over: the caller's are empty afterwards.
   *
   * @throws {TrajectoryError} as `encodeChunk`
   */
  async encode(order: ChunkOrder): Promise<EncodedChunk> {
    // The first that is free: its memory has grown already.
    const thread = this.#threads.find(({ isIdle }) => isIdle);
    if (thread === undefined) throw new InvariantError("no thread is free for a chunk");
    const values = valuesOf(order);
    this.#values += values;
    try {
      return await thread.encode(order);
    } finally {
      this.#values -= values;
    }
  }

  /** End all threads, whatever they do. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

interface Answer {
  readonly chunk?: EncodedChunk;
  readonly refusal?: ChunkRefusal;
}

class ChunkThread {
  readonly #onStarted: () => void;
  #worker: Worker | undefined;
  #current: PromiseWithResolvers<EncodedChunk> | undefined;

  constructor(onStarted: () => void) {
    this.#onStarted = onStarted;
  }

  get isIdle(): boolean {
    return this.#current === undefined;
  }

  encode(order: ChunkOrder): Promise<EncodedChunk> {
    const current = Promise.withResolvers<EncodedChunk>();
    this.#current = current;
    this.start().postMessage(order, buffersOf(order));
    return current.promise;
  }

  /** Begin to get ready, ahead of the first chunk. */
  start(): Worker {
    this.#worker ??= this.#open();
    return this.#worker;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #open(): Worker {
    const worker = new Worker(THREAD_URL, { env: {}, argv: [] });
    worker.once("online", this.#onStarted);
    worker.on("message", ({ chunk, refusal }: Answer) => {
      const current = this.#current;
      this.#current = undefined;
      if (chunk !== undefined) current?.resolve(chunk);
      else if (refusal !== undefined) {
        current?.reject(new TrajectoryError(refusal.code, refusal.problem, refusal.remedy, refusal.place));
      }
    });
    worker.on("error", (error) => this.#end(worker, error));
    worker.on("exit", (code) => {
      this.#end(worker, new InvariantError(`a thread that codes chunks ended with code ${code}`));
    });
    return worker;
  }

  /** It is no more: what it had fails, and the next chunk gets another. */
  #end(worker: Worker, why: Error): void {
    if (worker !== this.#worker) return;
    const current = this.#current;
    this.#worker = undefined;
    this.#current = undefined;
    current?.reject(why);
  }
}
