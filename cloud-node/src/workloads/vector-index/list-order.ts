/** Where rows go when they are put list by list. */
export interface ListOrder {
  /** Shape (m + 1): rows of list j are at offsets[j] … offsets[j + 1] - 1. */
  readonly offsets: Uint32Array;
  /** Shape (n): the position of each row. */
  readonly positions: Uint32Array;
}

/** A counting sort: rows of a list keep their order. @param lists  shape (n), each below m */
export function orderLists(lists: Uint32Array, m: number): ListOrder {
  const offsets = new Uint32Array(m + 1);
  for (const list of lists) offsets[list + 1] = (offsets[list + 1] ?? 0) + 1;
  for (let list = 0; list < m; list++) offsets[list + 1] = (offsets[list + 1] ?? 0) + (offsets[list] ?? 0);
  const next = offsets.slice();
  const positions = new Uint32Array(lists.length);
  for (const [row, list] of lists.entries()) {
    const position = next[list] ?? 0;
    positions[row] = position;
    next[list] = position + 1;
  }
  return { offsets, positions };
}
