import { Worker } from "node:worker_threads";
import { InvariantError } from "../../invariant-error.ts";
import { type PlacedSegment, placeSegment } from "./placed-segment.ts";
import { checkQueries } from "./query-check.ts";
import { noNeighbours, QueryMemory, type QueryShape, type SearchCall } from "./query-memory.ts";
import { Reranker } from "./reranker.ts";
import type { RankedNeighbours, SearchOptions, SearchSegment } from "./search-segment.ts";
import type { SharedSegment } from "./search-thread.ts";
import { VectorKernel } from "./vector-kernel.ts";

/** The thread's file beside this one: TypeScript in a source tree, JavaScript where it was built. */
const THREAD_URL = new URL(
  import.meta.url.endsWith(".ts") ? "./search-thread.ts" : "./search-thread.js",
  import.meta.url,
);
/** Queries that a thread is given at once: enough that handing them over costs little, few enough to share out evenly. */
const BATCH = 64;

/** Threads that search one segment, which is in memory once. They find what `Searcher` finds, bit for bit. */
export class SearchPool {
  readonly #segment: SearchSegment;
  readonly #kernel = VectorKernel.load();
  readonly #reranker: Reranker;
  readonly #threads: SearchThread[];
  readonly #waiting: ((thread: SearchThread) => void)[] = [];

  /**
   * @param threads  1 …
   * @throws {VectorIndexError} as `Searcher`
   */
  constructor(segment: SearchSegment, threads: number) {
    this.#segment = segment;
    this.#reranker = new Reranker(segment);
    const placed = placeSegment(this.#kernel, segment);
    this.#threads = Array.from({ length: threads }, () => new SearchThread(this.#kernel, placed));
  }

  /** The k nearest rows of each query; as `Searcher.search`, queries shared out among the threads. */
  async search(queries: Float32Array, k: number, options: SearchOptions): Promise<RankedNeighbours> {
    const { model, ids } = this.#segment;
    const rows = checkQueries(queries, k, options, model);
    const candidates = this.#reranker.candidates(k, options);
    const count = rows.length / model.d;
    const out = noNeighbours(count, candidates);
    const shape = { d: model.d, k: Math.max(1, Math.min(candidates, ids.length)), probes: options.probes };
    const batches: Promise<void>[] = [];
    for (let first = 0; first < count; first += BATCH) {
      const batch = rows.subarray(first * model.d, (first + BATCH) * model.d);
      batches.push(this.#withThread((thread) => thread.search(batch, shape, out, first, candidates)));
    }
    await Promise.all(batches);
    return options.rerank ? this.#reranker.rank(rows, out, k) : out;
  }

  /** End all threads; searches under way fail. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  async #withThread(work: (thread: SearchThread) => Promise<void>): Promise<void> {
    const idle = this.#threads.find(({ isIdle }) => isIdle);
    const thread = idle ?? (await new Promise<SearchThread>((resolve) => this.#waiting.push(resolve)));
    thread.isIdle = false;
    try {
      await work(thread);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) thread.isIdle = true;
      else next(thread);
    }
  }
}

class SearchThread {
  isIdle = true;
  readonly #memory: QueryMemory;
  readonly #worker: Worker;
  #current: PromiseWithResolvers<void> | undefined;
  #failure: Error | undefined;

  constructor(kernel: VectorKernel, placed: PlacedSegment) {
    this.#memory = new QueryMemory(kernel);
    const workerData: SharedSegment = { memory: kernel.memory, placed };
    this.#worker = new Worker(THREAD_URL, { workerData, argv: [] });
    this.#worker.unref();
    this.#worker.on("message", () => this.#current?.resolve());
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", (code) => this.#fail(new InvariantError(`a thread that searches ended with code ${code}`)));
  }

  async search(
    queries: Float32Array,
    shape: QueryShape,
    out: RankedNeighbours,
    first: number,
    wide: number,
  ): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const call: SearchCall = this.#memory.write(queries, shape);
    const current = Promise.withResolvers<void>();
    this.#current = current;
    this.#worker.ref();
    this.#worker.postMessage(call);
    await current.promise.finally(() => this.#worker.unref());
    this.#memory.read(call, out, first, wide);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#current?.reject(error);
  }
}
