import type { IndexModel } from "./model.ts";

export interface MaintenanceLimits {
  /** Anchors whose squared distance is below so much of the mean squared residual become one. */
  readonly mergeBelow: number;
  /** A list with more than so many times the mean is split, if it became so, or if `isExact`. */
  readonly splitAbove: number;
}

/** Lists as they are. */
export interface ListSizes {
  /** Shape (m): rows of each. */
  readonly now: Uint32Array;
  /** Shape (m): of these, in the first segment, deleted ones among them: as the lists were built. */
  readonly built: Uint32Array;
  /** Whether rows that get another anchor are coded from finer rows, and not from what their codes say. */
  readonly isExact: boolean;
}

/** What is to become of the lists of an index. */
export interface MaintenancePlan {
  /** Shape (m): the list that each becomes part of, mostly itself; -1: it is empty, and goes. */
  readonly into: Int32Array;
  /** Lists that are to be split, of those that stay. */
  readonly overloaded: readonly number[];
  /** A part of a split list has at most so many rows, unless they are all the same. */
  readonly mostRows: number;
}

/**
 * Merged lists together have no more than so many times the mean: a list that a search has to visit anyway should not
 * become one that is to be split.
 */
const MERGED_SIZE = 2;
/**
 * Coding decoded rows again costs recall. A list that has been so long since it was built is left as it is, unless its
 * share of all rows has grown so many times.
 */
const GROWN = 1.5;

export function planMaintenance(
  model: IndexModel,
  { now: sizes, built, isExact }: ListSizes,
  { mergeBelow, splitAbove }: MaintenanceLimits,
): MaintenancePlan {
  const { m } = model;
  const [n, builtRows] = [sizes, built].map((all) => all.reduce((sum, size) => sum + size, 0)) as [number, number];
  const into = Int32Array.from(sizes, (size, list) => (size === 0 ? -1 : list));
  // An index of no rows still has a list to put the next one into.
  if (n === 0) into[0] = 0;
  const merged = sizes.slice();
  const energy = model.sigma.reduce((sum, sigma) => sum + sigma * sigma, 0);
  for (const { a, b } of closePairs(model, into, mergeBelow * energy)) {
    // One of them may be gone, or have taken in others.
    if (into[a] !== a || into[b] !== b) continue;
    const together = (merged[a] ?? 0) + (merged[b] ?? 0);
    if (together > (MERGED_SIZE * n) / m) continue;
    // Rows that move are coded again, so the fewer move.
    const [stays, goes] = (merged[a] ?? 0) >= (merged[b] ?? 0) ? [a, b] : [b, a];
    for (let list = 0; list < m; list++) if (into[list] === goes) into[list] = stays;
    merged[stays] = together;
    merged[goes] = 0;
  }
  const lists = into.reduce((count, target, list) => count + (target === list ? 1 : 0), 0);
  const mostRows = Math.max(1, Math.floor((splitAbove * n) / lists));
  const overloaded = Array.from(merged.keys()).filter((list) => {
    const [size, before] = [merged[list] ?? 0, built[list] ?? 0];
    const isGrown = size * builtRows > GROWN * before * n;
    return into[list] === list && size > mostRows && (isExact || isGrown);
  });
  return { into, overloaded, mostRows };
}

/** Pairs of lists that have rows, and anchors nearer than the square root of `limit`; the nearest first. */
function closePairs({ m, paddedD, anchors }: IndexModel, into: Int32Array, limit: number) {
  const pairs: { readonly a: number; readonly b: number; readonly distance: number }[] = [];
  for (let a = 0; a < m; a++) {
    if (into[a] === -1) continue;
    for (let b = a + 1; b < m; b++) {
      if (into[b] === -1) continue;
      let distance = 0;
      // Most pairs are far apart, and found to be so within a few dimensions.
      for (let j = 0; j < paddedD && distance < limit; j++) {
        const difference = (anchors[a * paddedD + j] ?? 0) - (anchors[b * paddedD + j] ?? 0);
        distance += difference * difference;
      }
      if (distance < limit) pairs.push({ a, b, distance });
    }
  }
  return pairs.sort((x, y) => x.distance - y.distance);
}
