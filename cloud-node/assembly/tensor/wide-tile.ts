import { madd } from "./lanes";
import { TILE_ROWS } from "./tile-rows";

/** `multiplyTiles` of 16 columns. */
export function multiplyWide(
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
    let aAt = a;
    let bAt = b;
    do {
      const b0 = v128.load(bAt);
      const b1 = v128.load(bAt, 16);
      const b2 = v128.load(bAt, 32);
      const b3 = v128.load(bAt, 48);
      const a0 = v128.load32_splat(aAt);
      c00 = madd(a0, b0, c00);
      c01 = madd(a0, b1, c01);
      c02 = madd(a0, b2, c02);
      c03 = madd(a0, b3, c03);
      const a1 = v128.load32_splat(aAt, 4);
      c10 = madd(a1, b0, c10);
      c11 = madd(a1, b1, c11);
      c12 = madd(a1, b2, c12);
      c13 = madd(a1, b3, c13);
      const a2 = v128.load32_splat(aAt, 8);
      c20 = madd(a2, b0, c20);
      c21 = madd(a2, b1, c21);
      c22 = madd(a2, b2, c22);
      c23 = madd(a2, b3, c23);
      const a3 = v128.load32_splat(aAt, 12);
      c30 = madd(a3, b0, c30);
      c31 = madd(a3, b1, c31);
      c32 = madd(a3, b2, c32);
      c33 = madd(a3, b3, c33);
      if (TILE_ROWS > 4) {
        const a4 = v128.load32_splat(aAt, 16);
        c40 = madd(a4, b0, c40);
        c41 = madd(a4, b1, c41);
        c42 = madd(a4, b2, c42);
        c43 = madd(a4, b3, c43);
        const a5 = v128.load32_splat(aAt, 20);
        c50 = madd(a5, b0, c50);
        c51 = madd(a5, b1, c51);
        c52 = madd(a5, b2, c52);
        c53 = madd(a5, b3, c53);
      }
      aAt += aStep;
      bAt += bStep;
    } while (bAt != end);
    if (bias != 0) {
      const bias0 = v128.load(bias);
      const bias1 = v128.load(bias, 16);
      const bias2 = v128.load(bias, 32);
      const bias3 = v128.load(bias, 48);
      c00 = f32x4.add(c00, bias0);
      c01 = f32x4.add(c01, bias1);
      c02 = f32x4.add(c02, bias2);
      c03 = f32x4.add(c03, bias3);
      c10 = f32x4.add(c10, bias0);
      c11 = f32x4.add(c11, bias1);
      c12 = f32x4.add(c12, bias2);
      c13 = f32x4.add(c13, bias3);
      c20 = f32x4.add(c20, bias0);
      c21 = f32x4.add(c21, bias1);
      c22 = f32x4.add(c22, bias2);
      c23 = f32x4.add(c23, bias3);
      c30 = f32x4.add(c30, bias0);
      c31 = f32x4.add(c31, bias1);
      c32 = f32x4.add(c32, bias2);
      c33 = f32x4.add(c33, bias3);
      c40 = f32x4.add(c40, bias0);
      c41 = f32x4.add(c41, bias1);
      c42 = f32x4.add(c42, bias2);
      c43 = f32x4.add(c43, bias3);
      c50 = f32x4.add(c50, bias0);
      c51 = f32x4.add(c51, bias1);
      c52 = f32x4.add(c52, bias2);
      c53 = f32x4.add(c53, bias3);
    }
    if (base != 0) {
      c00 = f32x4.add(c00, v128.load(base));
      c01 = f32x4.add(c01, v128.load(base, 16));
      c02 = f32x4.add(c02, v128.load(base, 32));
      c03 = f32x4.add(c03, v128.load(base, 48));
      base += cStride;
      c10 = f32x4.add(c10, v128.load(base));
      c11 = f32x4.add(c11, v128.load(base, 16));
      c12 = f32x4.add(c12, v128.load(base, 32));
      c13 = f32x4.add(c13, v128.load(base, 48));
      base += cStride;
      c20 = f32x4.add(c20, v128.load(base));
      c21 = f32x4.add(c21, v128.load(base, 16));
      c22 = f32x4.add(c22, v128.load(base, 32));
      c23 = f32x4.add(c23, v128.load(base, 48));
      base += cStride;
      c30 = f32x4.add(c30, v128.load(base));
      c31 = f32x4.add(c31, v128.load(base, 16));
      c32 = f32x4.add(c32, v128.load(base, 32));
      c33 = f32x4.add(c33, v128.load(base, 48));
      base += cStride;
      if (TILE_ROWS > 4) {
        c40 = f32x4.add(c40, v128.load(base));
        c41 = f32x4.add(c41, v128.load(base, 16));
        c42 = f32x4.add(c42, v128.load(base, 32));
        c43 = f32x4.add(c43, v128.load(base, 48));
        base += cStride;
        c50 = f32x4.add(c50, v128.load(base));
        c51 = f32x4.add(c51, v128.load(base, 16));
        c52 = f32x4.add(c52, v128.load(base, 32));
        c53 = f32x4.add(c53, v128.load(base, 48));
        base += cStride;
      }
    }
    v128.store(c, c01, 16);
    v128.store(c, c00);
    v128.store(c, c03, 48);
    v128.store(c, c02, 32);
    c += cStride;
    v128.store(c, c11, 16);
    v128.store(c, c10);
    v128.store(c, c13, 48);
    v128.store(c, c12, 32);
    c += cStride;
    v128.store(c, c21, 16);
    v128.store(c, c20);
    v128.store(c, c23, 48);
    v128.store(c, c22, 32);
    c += cStride;
    v128.store(c, c31, 16);
    v128.store(c, c30);
    v128.store(c, c33, 48);
    v128.store(c, c32, 32);
    c += cStride;
    if (TILE_ROWS > 4) {
      v128.store(c, c41, 16);
      v128.store(c, c40);
      v128.store(c, c43, 48);
      v128.store(c, c42, 32);
      c += cStride;
      v128.store(c, c51, 16);
      v128.store(c, c50);
      v128.store(c, c53, 48);
      v128.store(c, c52, 32);
      c += cStride;
    }
    a += aPanel;
  }
}
