import { squaredDistance } from "./coding-errors.ts";
import { noNeighbours } from "./query-memory.ts";
import { unpackRerank } from "./rerank-row.ts";
import type { RankedNeighbours, RerankTier, SearchOptions, SearchSegment } from "./search-segment.ts";
import { VectorIndexError } from "./vector-index-error.ts";

/** Ranks candidates again by the rows of a segment's finer tier. */
export class Reranker {
  readonly #segment: SearchSegment;
  /** Positions by rising id. */
  #byId: Uint32Array | undefined;

  constructor(segment: SearchSegment) {
    this.#segment = segment;
  }

  /**
   * How many candidates a search for k needs.
   *
   * @throws {VectorIndexError} `bad-option` when they shall be ranked again and there is nothing to do it by
   */
  candidates(k: number, { rerank }: SearchOptions): number {
    if (!rerank) return k;
    this.#tier();
    return rerank;
  }

  /**
   * The k nearest of each query's candidates.
   *
   * @param queries     shape (q, d), as the kernel took them
   * @param candidates  shape (q, r), r ≥ k
   */
  rank(queries: Float32Array, candidates: RankedNeighbours, k: number): RankedNeighbours {
    const { d } = this.#segment.model;
    const count = queries.length / d;
    const wide = count === 0 ? 0 : candidates.ids.length / count;
    const out = noNeighbours(count, k);
    const row = new Float32Array(d);
    for (let i = 0; i < count; i++) {
      const query = queries.subarray(i * d, (i + 1) * d);
      const ranked: { id: number; distance: number }[] = [];
      for (let c = i * wide; c < (i + 1) * wide && candidates.distances[c] !== Infinity; c++) {
        const id = candidates.ids[c] ?? 0;
        const tier = this.#tier();
        unpackRerank(tier.kind, tier.read(this.#position(id)), row);
        ranked.push({ id, distance: Math.fround(this.#distance(query, row)) });
      }
      ranked.sort((a, b) => a.distance - b.distance || a.id - b.id);
      for (const [place, { id, distance }] of ranked.slice(0, k).entries()) {
        out.ids[i * k + place] = id;
        out.distances[i * k + place] = distance;
        out.ranks[i * k + place] = distance;
      }
    }
    return out;
  }

  #tier(): RerankTier {
    const { rerank } = this.#segment;
    if (rerank !== undefined) return rerank;
    const problem = "the index has no finer rows to rank candidates by";
    throw new VectorIndexError("bad-option", problem, "leave out rerank, or build the index with it");
  }

  #distance(query: Float32Array, row: Float32Array): number {
    if (this.#segment.model.metric !== "ip") return squaredDistance(query, 0, row, 0, row.length);
    let product = 0;
    for (let j = 0; j < row.length; j++) product += (query[j] ?? 0) * (row[j] ?? 0);
    return -product;
  }

  /** Where in list order the row with an id is. */
  #position(id: number): number {
    const { ids } = this.#segment;
    this.#byId ??= Uint32Array.from(ids.keys()).sort((a, b) => (ids[a] ?? 0) - (ids[b] ?? 0));
    const byId = this.#byId;
    let [low, high] = [0, byId.length - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ids[byId[middle] ?? 0] ?? 0) < id) low = middle + 1;
      else high = middle;
    }
    return byId[low] ?? 0;
  }
}
