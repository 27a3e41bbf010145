import { NO_ROW } from "./exact-search.ts";

/** Answers to some queries, nearest first, `width` ids to each of them; NO_ROW where there were fewer. */
export interface Answers {
  readonly ids: Uint32Array;
  readonly width: number;
}

/**
 * Recall at k: of the k vectors that are nearest, how many are among the first k found, as a mean over all queries.
 *
 * @param k  at most the width of both
 * @returns 0 … 1; not a number where there is no query, or no vector
 */
export function recallAt(k: number, exact: Answers, found: Answers): number {
  let [hits, wanted] = [0, 0];
  for (let query = 0; query * exact.width < exact.ids.length; query++) {
    const nearest = exact.ids.subarray(query * exact.width, query * exact.width + k).filter((id) => id !== NO_ROW);
    const answer = new Set(found.ids.subarray(query * found.width, query * found.width + k));
    wanted += nearest.length;
    for (const id of nearest) if (answer.has(id)) hits++;
  }
  return hits / wanted;
}
