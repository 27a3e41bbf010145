import type { Kernels } from "./kernels.ts";

/** Coefficients of the quintic that drives singular values towards 1, steepest at 0. @see Jordan et al. 2024 */
const [A, B, C] = [3.4445, -4.775, 2.0315] as const;
const STEPS = 5;
/** Added to a length before it divides. */
export const NORM_EPS = 1e-7;

/** Divides `count` numbers by their length. A device does it without telling the host how long they are. */
export type Normalize = (x: number, count: number) => void;

/**
 * Replace a matrix by nearly its closest orthogonal one: five Newton–Schulz steps X ← aX + (bS + cS²)X with S = XXᵀ, or
 * from the right with XᵀX where that is smaller.
 *
 * @param scratch  address of a place of scratch, by its offset: the matrix (rows, columns) is at 0 and is overwritten;
 *   as many numbers behind it, and two squares of the smaller side, are used
 */
export function orthogonalize(
  kernels: Kernels,
  normalize: Normalize,
  scratch: (offset: number) => number,
  rows: number,
  columns: number,
): void {
  const count = rows * columns;
  const side = Math.min(rows, columns);
  const squares = side * side;
  const isTall = rows > columns;
  const [x, next, gram, poly] = [0, count, 2 * count, 2 * count + squares].map(scratch) as [
    number,
    number,
    number,
    number,
  ];
  normalize(x, count);
  for (let step = 0; step < STEPS; step++) {
    if (isTall) kernels.matmulWeightGradient(gram, x, x, rows, columns, columns, 0, 0);
    else kernels.matmul(gram, x, x, rows, columns, rows, 1, 0, 0);
    kernels.matmul(poly, gram, gram, side, side, side, 0, 0, 0);
    kernels.scale(poly, poly, squares, C, 0);
    kernels.scale(poly, gram, squares, B, 1);
    if (isTall) kernels.matmul(next, x, poly, rows, columns, columns, 0, 0, 0);
    else kernels.matmul(next, poly, x, rows, rows, columns, 0, 0, 0);
    kernels.scale(next, x, count, A, 1);
    kernels.copy(x, next, count, 0);
  }
}
