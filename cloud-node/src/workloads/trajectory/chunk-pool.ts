import { Worker } from "node:worker_threads";
import { InvariantError } from "../../invariant-error.ts";
import { threadFile } from "../../thread-file.ts";
import type { EncodedChunk } from "./chunk-encode.ts";
import { buffersOf, type ChunkOrder, type ChunkRefusal, valuesOf } from "./chunk-order.ts";
import { TrajectoryError } from "./trajectory-error.ts";

const THREAD_URL = threadFile(import.meta.url, "chunk-thread");
/** Values in all threads together, unless one chunk alone has more: 8 bytes each, and three times that to code them. */
const MOST_VALUES = 1 << 25;

interface WaitingChunk {
  readonly order: ChunkOrder;
  readonly coded: PromiseWithResolvers<EncodedChunk>;
}

/**
 * Threads that code chunks side by side. A chunk's bytes do not depend on who codes it.
 *
 * Whoever reads needs a core, too, and a thread takes as long to start as a chunk to be coded: the first starts at once,
 * while the first chunk is being read, and another only where a second chunk has to wait.
 */
export class ChunkPool {
  readonly #threads: ChunkThread[];
  #waiting: WaitingChunk[] = [];
  #values = 0;
  #isClosed = false;

  /** @param threads  at most, 1 … */
  constructor(threads: number) {
    this.#threads = Array.from({ length: threads }, () => new ChunkThread());
    this.#threads[0]?.start();
  }

  /** Whether a chunk will be taken, and memory is free for it: one more than there are threads. */
  hasRoom(order: ChunkOrder): boolean {
    if (this.#values > 0 && this.#values + valuesOf(order) > MOST_VALUES) return false;
    return this.#threads.filter(({ isBusy }) => isBusy).length + this.#waiting.length <= this.#threads.length;
  }

  /**
   * Code a chunk, for which there is room. Its arrays are handed over: the caller's are empty afterwards.
   *
   * @throws {TrajectoryError} as `encodeChunk`
   */
  async encode(order: ChunkOrder): Promise<EncodedChunk> {
    const values = valuesOf(order);
    this.#values += values;
    const coded = Promise.withResolvers<EncodedChunk>();
    this.#waiting.push({ order, coded });
    this.#assign();
    try {
      return await coded.promise;
    } finally {
      this.#values -= values;
      this.#assign();
    }
  }

  /** End all threads, whatever they do. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#assign();
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #assign(): void {
    if (this.#isClosed) {
      for (const { coded } of this.#waiting.splice(0)) coded.reject(new InvariantError("the threads were ended"));
    }
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const thread = this.#freeThread();
      if (thread === undefined) return;
      this.#waiting.shift();
      thread.encode(next.order).then(next.coded.resolve, next.coded.reject);
    }
  }

  /** The first that is free: its memory has grown already. */
  #freeThread(): ChunkThread | undefined {
    const free = this.#threads.filter(({ isBusy }) => !isBusy);
    const isPressed = this.#waiting.length > 1 || free.length === this.#threads.length;
    return free.find(({ isStarted }) => isStarted) ?? (isPressed ? free[0] : undefined);
  }
}

interface Answer {
  readonly chunk?: EncodedChunk;
  readonly refusal?: ChunkRefusal;
}

class ChunkThread {
  #worker: Worker | undefined;
  #current: PromiseWithResolvers<EncodedChunk> | undefined;

  get isBusy(): boolean {
    return this.#current !== undefined;
  }

  get isStarted(): boolean {
    return this.#worker !== undefined;
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
    const worker = new Worker(THREAD_URL, { argv: [] });
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
