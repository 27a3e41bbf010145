import type { ListRange } from "./index-file.ts";

/**
 * Share lists out among shards, whole and in order, so that each has about as many rows.
 *
 * @param sizes  shape (m): rows of each list
 * @returns of each shard the lists that are its own; none for some where there are more shards than lists
 */
export function shardRanges(sizes: Uint32Array, shards: number): ListRange[] {
  const n = sizes.reduce((sum, size) => sum + size, 0);
  const ranges: ListRange[] = [];
  let [from, rows] = [0, 0];
  for (let shard = 1; shard <= shards; shard++) {
    let to = from;
    // A list goes where its middle falls.
    while (to < sizes.length && (shard === shards || (rows + (sizes[to] ?? 0) / 2) * shards < n * shard)) {
      rows += sizes[to] ?? 0;
      to++;
    }
    ranges.push({ from, to });
    from = to;
  }
  return ranges;
}
