import { noNeighbours } from "./query-memory.ts";
import type { RankedNeighbours } from "./search-segment.ts";

/**
 * The k nearest of what several shards found for the same queries: those that one search of all their rows would find.
 *
 * @param parts  of each shard: the same number of queries, k for each
 */
export function mergeNeighbours(parts: readonly RankedNeighbours[], k: number): RankedNeighbours {
  const count = (parts[0]?.ids.length ?? 0) / k;
  const out = noNeighbours(count, k);
  for (let from = 0; from < count * k; from += k) {
    const all = parts.flatMap(({ ids, distances, ranks }) =>
      Array.from(ids.subarray(from, from + k), (id, i) => ({
        id,
        distance: distances[from + i] ?? Infinity,
        rank: ranks[from + i] ?? Infinity,
      })),
    );
    // Two places where nothing was found are equal: Infinity less Infinity is no order.
    const chosen = all.sort((a, b) => (a.rank === b.rank ? a.id - b.id : a.rank - b.rank)).slice(0, k);
    chosen.sort((a, b) => (a.distance === b.distance ? a.id - b.id : a.distance - b.distance));
    for (const [place, { id, distance, rank }] of chosen.entries()) {
      out.ids[from + place] = id;
      out.distances[from + place] = distance;
      out.ranks[from + place] = rank;
    }
  }
  return out;
}
