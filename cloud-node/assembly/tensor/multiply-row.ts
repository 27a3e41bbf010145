/** The product of one row: nothing is packed, as every number of the matrix is used once. */
import { madd, storeLanes } from "./lanes";

/**
 * C (columns) = A (depth) · Bᵀ, + bias or 0, + residual or 0, or + C when `add`: bit for bit what tiles make of it, which begin
 * a chain of additions anew after every `blockDepth` steps.
 *
 * @param b  (columns, depth), its rows `stride` bytes apart
 */
export function multiplyRow(
  c: usize,
  a: usize,
  b: usize,
  stride: usize,
  columns: i32,
  depth: i32,
  blockDepth: i32,
  bias: usize,
  residual: usize,
  add: i32,
): void {
  for (let column = 0; column < columns; column += 4) {
    const at = usize(column) << 2;
    // Rows past the end read the last one again.
    const last = columns - 1 - column;
    const b0 = b + usize(column) * stride;
    const b1 = b0 + usize(min(1, last)) * stride;
    const b2 = b0 + usize(min(2, last)) * stride;
    const b3 = b0 + usize(min(3, last)) * stride;
    for (let step = 0; step < depth; step += blockDepth) {
      const from = usize(step) << 2;
      let sum = dotFour(a + from, b0 + from, b1 + from, b2 + from, b3 + from, min(blockDepth, depth - step));
      if (step == 0 && bias != 0) sum = f32x4.add(sum, v128.load(bias + at));
      const base = step > 0 || add ? c : residual;
      if (base != 0) sum = f32x4.add(sum, v128.load(base + at));
      storeLanes(c + at, sum, columns - column);
    }
  }
}

/** Four products of rows, each one chain of additions in the order of k. */
function dotFour(a: usize, b0: usize, b1: usize, b2: usize, b3: usize, depth: i32): v128 {
  let sum = f32x4.splat(0);
  const whole = usize(depth & ~3) << 2;
  const end = usize(depth) << 2;
  for (let offset: usize = 0; offset < whole; offset += 16) {
    const row0 = v128.load(b0 + offset);
    const row1 = v128.load(b1 + offset);
    const row2 = v128.load(b2 + offset);
    const row3 = v128.load(b3 + offset);
    const low01 = i32x4.shuffle(row0, row1, 0, 4, 1, 5);
    const low23 = i32x4.shuffle(row2, row3, 0, 4, 1, 5);
    const high01 = i32x4.shuffle(row0, row1, 2, 6, 3, 7);
    const high23 = i32x4.shuffle(row2, row3, 2, 6, 3, 7);
    sum = madd(v128.load32_splat(a + offset), i64x2.shuffle(low01, low23, 0, 2), sum);
    sum = madd(v128.load32_splat(a + offset, 4), i64x2.shuffle(low01, low23, 1, 3), sum);
    sum = madd(v128.load32_splat(a + offset, 8), i64x2.shuffle(high01, high23, 0, 2), sum);
    sum = madd(v128.load32_splat(a + offset, 12), i64x2.shuffle(high01, high23, 1, 3), sum);
  }
  for (let offset = whole; offset < end; offset += 4) {
    const column = f32x4(f32.load(b0 + offset), f32.load(b1 + offset), f32.load(b2 + offset), f32.load(b3 + offset));
    sum = madd(v128.load32_splat(a + offset), column, sum);
  }
  return sum;
}
