/** Of the lists, and at least so many: most neighbours of most queries are in them. */
const SHARE = 1 / 16;
const LEAST = 8;

/** Lists that a query visits where nothing is said. @param m  lists there are */
export function defaultProbes(m: number): number {
  return Math.min(m, Math.max(LEAST, Math.ceil(m * SHARE)));
}
