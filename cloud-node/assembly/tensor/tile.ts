/**
 * The register tile of every matrix product: a few rows by 16 columns of C in vectors, over panels of A and B.
 *
 *   A  at step k: TILE_ROWS rows side by side, then aStep bytes to step k + 1
 *   B  at step k: 16 columns side by side, then bStep bytes to step k + 1
 *
 * Where the host makes one instruction of a pair of vectors, the tile is the largest that its registers hold, which with
 * a multiply-add in one instruction is a row more; elsewhere it is computed in two halves. The loops are not unrolled: V8
 * would then move loads up, and spill. Every number of C is one chain of additions in the order of k, whatever the tile.
 */
import { madd } from "./lanes";

export const TILE_ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;
export const TILE_COLUMNS: i32 = 16;
export const HALF_COLUMNS: i32 = 8;
const HALF_BYTES: usize = 32;

/** Whether pairs of vectors are one register. */
let isWide: bool = false;

/** @param wide  1 where the host makes one instruction of a pair of vectors */
export function setWide(wide: i32): void {
  isWide = wide != 0;
}

/**
 * C tile = A · B, plus `bias` (16) or 0, plus `residual` (TILE_ROWS, 16, with the stride of C) or 0, plus what is in C for
 * `add`, which rules a residual out.
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
  const base = add ? c : residual;
  if (isWide) {
    multiplyWide(c, cStride, a, aStep, b, bStep, depth, bias, base);
    return;
  }
  multiplyHalf(c, cStride, a, aStep, b, bStep, depth, bias, base);
  const laterBias = bias == 0 ? usize(0) : bias + HALF_BYTES;
  const laterBase = base == 0 ? usize(0) : base + HALF_BYTES;
  multiplyHalf(c + HALF_BYTES, cStride, a, aStep, b + HALF_BYTES, bStep, depth, laterBias, laterBase);
}

/** `multiplyTile` over the whole width. */
function multiplyWide(
  c: usize,
  cStride: usize,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  depth: i32,
  bias: usize,
  base: usize,
): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c02 = f32x4.splat(0);
  let c03 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c12 = f32x4.splat(0);
  let c13 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c22 = f32x4.splat(0);
  let c23 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  let c32 = f32x4.splat(0);
  let c33 = f32x4.splat(0);
  let c40 = f32x4.splat(0);
  let c41 = f32x4.splat(0);
  let c42 = f32x4.splat(0);
  let c43 = f32x4.splat(0);
  let c50 = f32x4.splat(0);
  let c51 = f32x4.splat(0);
  let c52 = f32x4.splat(0);
  let c53 = f32x4.splat(0);
  const end = b + usize(depth) * bStep;
  while (b != end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const b2 = v128.load(b, 32);
    const b3 = v128.load(b, 48);
    const a0 = v128.load32_splat(a);
    c00 = madd(a0, b0, c00);
    c01 = madd(a0, b1, c01);
    c02 = madd(a0, b2, c02);
    c03 = madd(a0, b3, c03);
    const a1 = v128.load32_splat(a, 4);
    c10 = madd(a1, b0, c10);
    c11 = madd(a1, b1, c11);
    c12 = madd(a1, b2, c12);
    c13 = madd(a1, b3, c13);
    const a2 = v128.load32_splat(a, 8);
    c20 = madd(a2, b0, c20);
    c21 = madd(a2, b1, c21);
    c22 = madd(a2, b2, c22);
    c23 = madd(a2, b3, c23);
    const a3 = v128.load32_splat(a, 12);
    c30 = madd(a3, b0, c30);
    c31 = madd(a3, b1, c31);
    c32 = madd(a3, b2, c32);
    c33 = madd(a3, b3, c33);
    const a4 = v128.load32_splat(a, 16);
    c40 = madd(a4, b0, c40);
    c41 = madd(a4, b1, c41);
    c42 = madd(a4, b2, c42);
    c43 = madd(a4, b3, c43);
    if (TILE_ROWS > 5) {
      const a5 = v128.load32_splat(a, 20);
      c50 = madd(a5, b0, c50);
      c51 = madd(a5, b1, c51);
      c52 = madd(a5, b2, c52);
      c53 = madd(a5, b3, c53);
    }
    a += aStep;
    b += bStep;
  }
  storeRow(c, c00, c01, bias, base);
  storeRow(c + 32, c02, c03, bias == 0 ? usize(0) : bias + 32, base == 0 ? usize(0) : base + 32);
  c += cStride;
  if (base != 0) base += cStride;
  storeRow(c, c10, c11, bias, base);
  storeRow(c + 32, c12, c13, bias == 0 ? usize(0) : bias + 32, base == 0 ? usize(0) : base + 32);
  c += cStride;
  if (base != 0) base += cStride;
  storeRow(c, c20, c21, bias, base);
  storeRow(c + 32, c22, c23, bias == 0 ? usize(0) : bias + 32, base == 0 ? usize(0) : base + 32);
  c += cStride;
  if (base != 0) base += cStride;
  storeRow(c, c30, c31, bias, base);
  storeRow(c + 32, c32, c33, bias == 0 ? usize(0) : bias + 32, base == 0 ? usize(0) : base + 32);
  c += cStride;
  if (base != 0) base += cStride;
  storeRow(c, c40, c41, bias, base);
  storeRow(c + 32, c42, c43, bias == 0 ? usize(0) : bias + 32, base == 0 ? usize(0) : base + 32);
  if (TILE_ROWS > 5) {
    c += cStride;
    if (base != 0) base += cStride;
    storeRow(c, c50, c51, bias, base);
    storeRow(c + 32, c52, c53, bias == 0 ? usize(0) : bias + 32, base == 0 ? usize(0) : base + 32);
  }
}

/** `multiplyTile` over the first half of the width. */
export function multiplyHalf(
  c: usize,
  cStride: usize,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  depth: i32,
  bias: usize,
  base: usize,
): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  let c40 = f32x4.splat(0);
  let c41 = f32x4.splat(0);
  let c50 = f32x4.splat(0);
  let c51 = f32x4.splat(0);
  const end = b + usize(depth) * bStep;
  while (b != end) {
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
    const a4 = v128.load32_splat(a, 16);
    c40 = madd(a4, b0, c40);
    c41 = madd(a4, b1, c41);
    if (TILE_ROWS > 5) {
      const a5 = v128.load32_splat(a, 20);
      c50 = madd(a5, b0, c50);
      c51 = madd(a5, b1, c51);
    }
    a += aStep;
    b += bStep;
  }
  storeRow(c, c00, c01, bias, base);
  c += cStride;
  if (base != 0) base += cStride;
  storeRow(c, c10, c11, bias, base);
  c += cStride;
  if (base != 0) base += cStride;
  storeRow(c, c20, c21, bias, base);
  c += cStride;
  if (base != 0) base += cStride;
  storeRow(c, c30, c31, bias, base);
  c += cStride;
  if (base != 0) base += cStride;
  storeRow(c, c40, c41, bias, base);
  if (TILE_ROWS > 5) {
    c += cStride;
    if (base != 0) base += cStride;
    storeRow(c, c50, c51, bias, base);
  }
}

function storeRow(c: usize, low: v128, high: v128, bias: usize, base: usize): void {
  if (bias != 0) {
    low = f32x4.add(low, v128.load(bias));
    high = f32x4.add(high, v128.load(bias, 16));
  }
  if (base != 0) {
    low = f32x4.add(low, v128.load(base));
    high = f32x4.add(high, v128.load(base, 16));
  }
  v128.store(c, low);
  v128.store(c, high, 16);
}
