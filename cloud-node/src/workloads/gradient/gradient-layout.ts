/** One tensor of a model: its values lie row by row. */
export interface GradientTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Where a tensor lies among all values, and as what matrix it is coded. */
export interface PlacedTensor {
  readonly from: number;
  readonly count: number;
  /** Of the last dimension; all others are rows. */
  readonly columns: number;
  readonly rows: number;
  /** A matrix is coded the way round that has fewer columns: tables are of pairs of columns. */
  readonly isTurned: boolean;
}

/** Values of a layout. */
export function layoutCount(layout: readonly GradientTensor[]): number {
  return placeTensors(layout).reduce((sum, { count }) => sum + count, 0);
}

/** Tensors one behind the other, in the order given. A scalar is a matrix of one value. */
export function placeTensors(layout: readonly GradientTensor[]): PlacedTensor[] {
  let from = 0;
  return layout.map(({ shape }) => {
    const count = shape.reduce((product, length) => product * length, 1);
    const columns = shape.at(-1) ?? 1;
    const rows = columns === 0 ? 0 : count / columns;
    const placed = { from, count, columns, rows, isTurned: rows > 1 && columns > rows };
    from += count;
    return placed;
  });
}
