import { noNeighbours } from "./query-memory.ts";
import type { Neighbours } from "./search-segment.ts";

/**
 * The k nearest of what several shards found for the same queries: those that one search of all their rows would find.
 *
 * @param parts  of each shard: the same number of queries, k for each
 */
export function mergeNeighbours(parts: readonly Neighbours[], k: number): Neighbours {
  const count = (parts[0]?.ids.length ?? 0) / k;
  const out = noNeighbours(count, k);
  for (let from = 0; from < count * k; from += k) {
    const all = parts.flatMap(({ ids, distances }) =>
      Array.from(ids.subarray(from, from + k), (id, i) => ({ id, distance: distances[from + i] ?? Infinity })),
    );
    all.sort((a, b) => (a.distance === b.distance ? a.id - b.id : a.distance - b.distance));
    for (const [place, { id, distance }] of all.slice(0, k).entries()) {
      out.ids[from + place] = id;
      out.distances[from + place] = distance;
    }
  }
  return out;
}
