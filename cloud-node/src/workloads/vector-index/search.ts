import { placeSegment, useSegment } from "./placed-segment.ts";
import { checkQueries } from "./query-check.ts";
import { noNeighbours, QueryMemory } from "./query-memory.ts";
import { Reranker } from "./reranker.ts";
import type { RankedNeighbours, SearchOptions, SearchSegment } from "./search-segment.ts";
import { VectorKernel } from "./vector-kernel.ts";

/** Queries in the kernel's memory at once. */
const BATCH = 256;

/** Searches one segment in the thread that calls. What is found for a query depends on the segment and the query alone. */
export class Searcher {
  readonly #kernel = VectorKernel.load();
  readonly #memory = new QueryMemory(this.#kernel);
  readonly #segment: SearchSegment;
  readonly #reranker: Reranker;

  /** @throws {VectorIndexError} `bad-index` when the segment contradicts itself, `too-large` beyond 4 GB of memory */
  constructor(segment: SearchSegment) {
    this.#segment = segment;
    this.#reranker = new Reranker(segment);
    useSegment(this.#kernel, placeSegment(this.#kernel, segment));
  }

  /**
   * The k nearest rows of each query.
   *
   * @param queries  shape (q, d), finite; for `cosine` of any length above 0
   * @param k        1 to 65536; more than there are rows leaves places empty
   * @throws {VectorIndexError} as `checkQueries`; `bad-option` for a rerank without a finer tier
   */
  search(queries: Float32Array, k: number, options: SearchOptions): RankedNeighbours {
    const { model, ids } = this.#segment;
    const rows = checkQueries(queries, k, options, model);
    const candidates = this.#reranker.candidates(k, options);
    const count = rows.length / model.d;
    const out = noNeighbours(count, candidates);
    const shape = { d: model.d, k: Math.max(1, Math.min(candidates, ids.length)), probes: options.probes };
    for (let first = 0; first < count; first += BATCH) {
      const call = this.#memory.write(rows.subarray(first * model.d, (first + BATCH) * model.d), shape);
      this.#kernel.calls.searchRows(...call);
      this.#memory.read(call, out, first, candidates);
    }
    return options.rerank ? this.#reranker.rank(rows, out, k) : out;
  }
}
