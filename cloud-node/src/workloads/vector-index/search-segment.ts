import type { CodedRows } from "./coded-rows.ts";
import type { IndexModel } from "./model.ts";

/** Rows of one index, or of the lists that one shard owns, ready to be searched. */
export interface SearchSegment extends CodedRows {
  readonly model: IndexModel;
  /** (m + 1), not falling, from 0 to n: rows [listOffsets[j], listOffsets[j + 1]) belong to anchor j. */
  readonly listOffsets: Uint32Array;
  /** (n), what a search answers with for each row. */
  readonly ids: Uint32Array;
  /** The rows once more, finer: candidates are ranked again by them. Absent when the index has none. */
  readonly rerank?: RerankTier;
}

/** Reads single rows of the finer tier. */
export interface RerankTier {
  readonly kind: RerankKind;
  /** Bytes of the row at `position` in list order, `rerankBytes(kind, d)` of them. */
  read(position: number): Uint8Array;
}

export type RerankKind = "i8" | "f16";

export interface SearchOptions {
  /** Lists that a query visits, nearest anchors first, 1 to m; more than m is refused. */
  readonly probes: number;
  /** Candidates to rank again by the finer tier, k or more; 0 or absent: none. */
  readonly rerank?: number;
}

/**
 * The nearest rows of each query, by falling likeness: rows are sorted by (distance, id). Where fewer than k rows were
 * found, the rest is id 0xFFFFFFFF at distance Infinity.
 */
export interface Neighbours {
  /** (q, k) */
  readonly ids: Uint32Array;
  /** (q, k): squared distance for `l2` and `cosine`; for `ip` the negated inner product; of the rows as codes say them. */
  readonly distances: Float32Array;
}

/** Neighbours, and what they were chosen by: shards must choose among what they found by the same. */
export interface RankedNeighbours extends Neighbours {
  /** (q, k): the distance, or a bound on it where that lies higher, which is rare; Infinity where no row was found. */
  readonly ranks: Float32Array;
}
