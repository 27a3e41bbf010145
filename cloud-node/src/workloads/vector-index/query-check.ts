import type { IndexModel } from "./model.ts";
import type { SearchOptions } from "./search-segment.ts";
import { normalizeRows } from "./unit-source.ts";
import { VectorIndexError } from "./vector-index-error.ts";
import { checkFinite } from "./vector-source.ts";

/** Neighbours of a query: what is asked for at most. */
const MOST_K = 1 << 16;

/**
 * Queries as the kernel takes them: finite, and for `cosine` of length 1, in an array of their own then.
 *
 * @param queries  shape (q, d)
 * @throws {VectorIndexError} `bad-shape` for a length that is no multiple of d; `not-finite`, `too-large` and
 *   `zero-vector` with the row; `bad-option` for k, probes or rerank out of range
 */
export function checkQueries(
  queries: Float32Array,
  k: number,
  options: SearchOptions,
  { d, m, metric }: IndexModel,
): Float32Array {
  checkWhole("k", k, 1, MOST_K);
  checkWhole("probes", options.probes, 1, m);
  if (options.rerank !== undefined && options.rerank !== 0) checkWhole("rerank", options.rerank, k, MOST_K);
  if (queries.length % d !== 0) {
    const problem = `${queries.length} numbers are not whole queries of ${d}`;
    throw new VectorIndexError("bad-shape", problem, "pass rows of the index's dimensions");
  }
  checkFinite(queries, d, 0, "queries");
  if (metric !== "cosine") return queries;
  const unit = queries.slice();
  normalizeRows(unit, d, 0, "queries");
  return unit;
}

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new VectorIndexError("bad-option", `${name} is ${value}`, `give a whole number from ${least} to ${most}`);
}
