import { ExactKernel, loadExactKernel, QUERIES_AT_ONCE } from "./exact-kernel.ts";
import type { Metric } from "./model.ts";
import { normalizeRows, unitSource } from "./unit-source.ts";
import { VectorIndexError } from "./vector-index-error.ts";
import type { VectorSource } from "./vector-source.ts";

/** The nearest vectors of some queries, nearest first and those as near by their number. */
export interface ExactNeighbours {
  /** Shape (q, k): rows of the base; NO_ROW where there are fewer than k. */
  readonly ids: Uint32Array;
  /** Shape (q, k): squared distances, or inner products negated; Infinity where there is no row. */
  readonly distances: Float64Array;
}

export interface ExactOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told of rows of the base that every query was held against. */
  readonly progress?: (done: number, total: number) => void;
  /** Rows that count; without it all of them do. */
  readonly isWanted?: ((row: number) => boolean) | undefined;
}

/** In place of a row's number where there is none. */
export const NO_ROW = 0xffffffff;
/** Numbers of the base that are in memory at once. */
const BLOCK_VALUES = 1 << 18;
/** Numbers of queries at once, as doubles; a base is read once more for each of these. */
const QUERY_VALUES = 1 << 23;

/**
 * Hold every query against every vector, in doubles. Memory is that of a block, and of (q, k) results.
 *
 * @param queries  shape (q, d), finite; for `cosine` of any length but 0
 * @param k  1 …
 * @throws {VectorIndexError} `bad-shape`, what `base` throws, and `zero-vector` for `cosine`
 */
export async function searchExact(
  base: VectorSource,
  queries: Float32Array,
  k: number,
  metric: Metric,
  { signal, progress, isWanted = () => true }: ExactOptions = {},
): Promise<ExactNeighbours> {
  const { n, d } = base;
  if (queries.length % d !== 0) {
    const problem = `its rows have ${d} numbers, and ${queries.length} are no whole queries of that`;
    throw new VectorIndexError("bad-shape", problem, "give queries as long as the rows", { file: base.name });
  }
  const source = metric === "cosine" ? unitSource(base) : base;
  const asked = metric === "cosine" ? queries.slice() : queries;
  if (metric === "cosine") normalizeRows(asked, d, 0, "the queries");
  const q = queries.length / d;
  const found = { ids: new Uint32Array(q * k).fill(NO_ROW), distances: new Float64Array(q * k).fill(Infinity) };
  const block = new Float32Array(Math.max(1, Math.min(n, Math.floor(BLOCK_VALUES / d))) * d);
  const most = Math.min(q, Math.max(1, Math.floor(QUERY_VALUES / d)));
  const kernel = new ExactKernel(loadExactKernel(), d, metric, most, block.length / d);
  for (let from = 0; from < q; from += most) {
    const to = Math.min(q, from + most);
    kernel.setQueries(asked.subarray(from * d, to * d));
    for (let row = 0; row < n; ) {
      signal?.throwIfAborted();
      const rows = await source.read(row, block);
      kernel.setRows(block.subarray(0, rows * d));
      for (let first = from; first < to; first += QUERIES_AT_ONCE) {
        const distances = kernel.distances(first - from, rows);
        for (let query = first; query < Math.min(to, first + QUERIES_AT_ONCE); query++) {
          keepNearest(distances, query - first, rows, row, found, query * k, k, isWanted);
        }
      }
      row += rows;
      progress?.(from * n + row * (to - from), q * n);
    }
  }
  return found;
}

/** Put what is nearer than the k kept so far among them; rows come by rising number, so that ties stay in order. */
function keepNearest(
  distances: Float64Array,
  column: number,
  rows: number,
  firstRow: number,
  { ids, distances: kept }: ExactNeighbours,
  start: number,
  k: number,
  isWanted: (row: number) => boolean,
): void {
  const last = start + k - 1;
  for (let i = 0; i < rows; i++) {
    const distance = distances[i * QUERIES_AT_ONCE + column] ?? 0;
    if (distance >= (kept[last] ?? 0) || !isWanted(firstRow + i)) continue;
    let place = last;
    for (; place > start && (kept[place - 1] ?? 0) > distance; place--) {
      kept[place] = kept[place - 1] ?? 0;
      ids[place] = ids[place - 1] ?? 0;
    }
    kept[place] = distance;
    ids[place] = firstRow + i;
  }
}
