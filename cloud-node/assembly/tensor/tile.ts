/**
 * The register tile of every matrix product: 4 rows by 8 columns of C in eight vectors, over panels of A and B.
 *
 *   A  at step k: 4 rows side by side, then aStep bytes to step k + 1
 *   B  at step k: 8 columns side by side, then bStep bytes to step k + 1
 *
 * The loop is not unrolled and the tile no larger, because V8 keeps eight accumulators in registers and spills more
 * (`npm run bench -- lm`). Every number of C is one chain of additions in the order of k.
 */
import { madd } from "./lanes";

export const TILE_ROWS: i32 = 4;
export const TILE_COLUMNS: i32 = 8;

/**
 * C tile = A · B, plus `bias` (8) or 0, plus `residual` (4, 8 with the stride of C) or 0, plus what is in C for `add`.
 *
 * @param cStride  bytes from row to row of C and of the residual
 */
export function multiplyTile(
  c: usize,
  cStride: usize,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  depth: i32,
  bias: usize,
  residual: usize,
  add: i32,
): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  for (let k = depth; k > 0; k--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const a0 = v128.load32_splat(a);
    c00 = madd(a0, b0, c00);
    c01 = madd(a0, b1, c01);
    const a1 = v128.load32_splat(a, 4);
    c10 = madd(a1, b0, c10);
    c11 = madd(a1, b1, c11);
    const a2 = v128.load32_splat(a, 8);
    c20 = madd(a2, b0, c20);
    c21 = madd(a2, b1, c21);
    const a3 = v128.load32_splat(a, 12);
    c30 = madd(a3, b0, c30);
    c31 = madd(a3, b1, c31);
    a += aStep;
    b += bStep;
  }
  if (bias != 0) {
    const bias0 = v128.load(bias);
    const bias1 = v128.load(bias, 16);
    c00 = f32x4.add(c00, bias0);
    c01 = f32x4.add(c01, bias1);
    c10 = f32x4.add(c10, bias0);
    c11 = f32x4.add(c11, bias1);
    c20 = f32x4.add(c20, bias0);
    c21 = f32x4.add(c21, bias1);
    c30 = f32x4.add(c30, bias0);
    c31 = f32x4.add(c31, bias1);
  }
  // The residual, or C itself: never both.
  let base = add ? c : residual;
  if (base != 0) {
    c00 = f32x4.add(c00, v128.load(base));
    c01 = f32x4.add(c01, v128.load(base, 16));
    base += cStride;
    c10 = f32x4.add(c10, v128.load(base));
    c11 = f32x4.add(c11, v128.load(base, 16));
    base += cStride;
    c20 = f32x4.add(c20, v128.load(base));
    c21 = f32x4.add(c21, v128.load(base, 16));
    base += cStride;
    c30 = f32x4.add(c30, v128.load(base));
    c31 = f32x4.add(c31, v128.load(base, 16));
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  c += cStride;
  v128.store(c, c10);
  v128.store(c, c11, 16);
  c += cStride;
  v128.store(c, c20);
  v128.store(c, c21, 16);
  c += cStride;
  v128.store(c, c30);
  v128.store(c, c31, 16);
}
