/** How evenly vectors lie over the lists of an index. */
export interface ListBalance {
  readonly lists: number;
  readonly empty: number;
  readonly smallest: number;
  readonly median: number;
  readonly largest: number;
  readonly mean: number;
  /** What a query reads, beside what it would read of lists of one size: the mean size of a vector's list over the mean. */
  readonly unevenness: number;
}

/** @param sizes  shape (m), m ≥ 1 */
export function listBalance(sizes: Uint32Array): ListBalance {
  const sorted = sizes.toSorted();
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const squares = sizes.reduce((sum, size) => sum + size * size, 0);
  const mean = total / sizes.length;
  return {
    lists: sizes.length,
    empty: sizes.reduce((count, size) => count + (size === 0 ? 1 : 0), 0),
    smallest: sorted[0] ?? 0,
    median: sorted[sorted.length >> 1] ?? 0,
    largest: sorted.at(-1) ?? 0,
    mean,
    unevenness: total === 0 ? 1 : squares / total / mean,
  };
}
