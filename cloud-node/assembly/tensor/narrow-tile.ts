import { madd } from "./lanes";
import { TILE_ROWS } from "./tile-rows";

/** `multiplyTiles` of 8 columns, also of the first half of a panel that has 16. */
export function multiplyNarrow(
  c: usize,
  cStride: usize,
  a: usize,
  aStep: usize,
  aPanel: usize,
  tiles: i32,
  b: usize,
  bStep: usize,
  depth: i32,
  bias: usize,
  base: usize,
): void {
  const end = b + usize(depth) * bStep;
  for (; tiles > 0; tiles--) {
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
    let aAt = a;
    let bAt = b;
    do {
      const b0 = v128.load(bAt);
      const b1 = v128.load(bAt, 16);
      const a0 = v128.load32_splat(aAt);
      c00 = madd(a0, b0, c00);
      c01 = madd(a0, b1, c01);
      const a1 = v128.load32_splat(aAt, 4);
      c10 = madd(a1, b0, c10);
      c11 = madd(a1, b1, c11);
      const a2 = v128.load32_splat(aAt, 8);
      c20 = madd(a2, b0, c20);
      c21 = madd(a2, b1, c21);
      const a3 = v128.load32_splat(aAt, 12);
      c30 = madd(a3, b0, c30);
      c31 = madd(a3, b1, c31);
      if (TILE_ROWS > 4) {
        const a4 = v128.load32_splat(aAt, 16);
        c40 = madd(a4, b0, c40);
        c41 = madd(a4, b1, c41);
        const a5 = v128.load32_splat(aAt, 20);
        c50 = madd(a5, b0, c50);
        c51 = madd(a5, b1, c51);
      }
      aAt += aStep;
      bAt += bStep;
    } while (bAt != end);
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
      c40 = f32x4.add(c40, bias0);
      c41 = f32x4.add(c41, bias1);
      c50 = f32x4.add(c50, bias0);
      c51 = f32x4.add(c51, bias1);
    }
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
      base += cStride;
      if (TILE_ROWS > 4) {
        c40 = f32x4.add(c40, v128.load(base));
        c41 = f32x4.add(c41, v128.load(base, 16));
        base += cStride;
        c50 = f32x4.add(c50, v128.load(base));
        c51 = f32x4.add(c51, v128.load(base, 16));
        base += cStride;
      }
    }
    v128.store(c, c01, 16);
    v128.store(c, c00);
    c += cStride;
    v128.store(c, c11, 16);
    v128.store(c, c10);
    c += cStride;
    v128.store(c, c21, 16);
    v128.store(c, c20);
    c += cStride;
    v128.store(c, c31, 16);
    v128.store(c, c30);
    c += cStride;
    if (TILE_ROWS > 4) {
      v128.store(c, c41, 16);
      v128.store(c, c40);
      c += cStride;
      v128.store(c, c51, 16);
      v128.store(c, c50);
      c += cStride;
    }
    a += aPanel;
  }
}
