import type { CodedRows } from "./coded-rows.ts";
import type { ResidualCoder } from "./residual-coder.ts";

/**
 * How far rows are from what their codes say, found by decoding them: the distance in rotated space is not quite it, as a
 * rotation in half precision is not quite one.
 *
 * @param rows  shape (k, d)
 * @param lists  shape (k)
 * @returns shape (k): squared distances
 */
export function codingErrors(
  coder: ResidualCoder,
  coded: CodedRows,
  lists: Uint32Array,
  rows: Float32Array,
): Float32Array {
  const decoded = new Float32Array(rows.length);
  coder.decode(coded, lists, decoded);
  const d = rows.length / lists.length;
  return Float32Array.from(lists, (_, i) => squaredDistance(rows, i * d, decoded, i * d, d));
}

/** Between d numbers of two arrays, from these places on. */
export function squaredDistance(x: Float32Array, xAt: number, y: Float32Array, yAt: number, d: number): number {
  let sum = 0;
  for (let j = 0; j < d; j++) {
    const difference = (x[xAt + j] ?? 0) - (y[yAt + j] ?? 0);
    sum += difference * difference;
  }
  return sum;
}
