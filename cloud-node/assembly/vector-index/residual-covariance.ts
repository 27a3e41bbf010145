/** Rows whose products are summed up in single precision before they are added to the sums in double precision. */
export const COVARIANCE_ROWS: i32 = 256;

/**
 * Add the products of every two dimensions over k rows: C += Rᵀ R, in the blocks on and right of the diagonal.
 *
 * @param rows  f32, shape (k, D), k ≤ COVARIANCE_ROWS, D a multiple of 8
 * @param sums  f64, shape (D, D); blocks of 8 × 8 left of the diagonal are not touched
 */
export function addProducts(rows: usize, k: i32, D: i32, sums: usize): void {
  for (let i: i32 = 0; i < D; i += 4) {
    for (let j: i32 = i & ~7; j < D; j += 8) addBlock(rows, k, D, i, j, sums);
  }
}

/** Four dimensions against eight. */
function addBlock(rows: usize, k: i32, D: i32, i: i32, j: i32, sums: usize): void {
  const stride: usize = (<usize>D) << 2;
  const zero: v128 = f32x4.splat(0);
  let a0: v128 = zero;
  let b0: v128 = zero;
  let a1: v128 = zero;
  let b1: v128 = zero;
  let a2: v128 = zero;
  let b2: v128 = zero;
  let a3: v128 = zero;
  let b3: v128 = zero;
  let x: usize = rows + ((<usize>i) << 2);
  let y: usize = rows + ((<usize>j) << 2);
  for (let row: i32 = 0; row < k; row++) {
    const left: v128 = v128.load(y);
    const right: v128 = v128.load(y, 16);
    const x0: v128 = v128.load32_splat(x);
    a0 = f32x4.add(a0, f32x4.mul(x0, left));
    b0 = f32x4.add(b0, f32x4.mul(x0, right));
    const x1: v128 = v128.load32_splat(x, 4);
    a1 = f32x4.add(a1, f32x4.mul(x1, left));
    b1 = f32x4.add(b1, f32x4.mul(x1, right));
    const x2: v128 = v128.load32_splat(x, 8);
    a2 = f32x4.add(a2, f32x4.mul(x2, left));
    b2 = f32x4.add(b2, f32x4.mul(x2, right));
    const x3: v128 = v128.load32_splat(x, 12);
    a3 = f32x4.add(a3, f32x4.mul(x3, left));
    b3 = f32x4.add(b3, f32x4.mul(x3, right));
    x += stride;
    y += stride;
  }
  const at: usize = sums + ((<usize>i * D + j) << 3);
  const down: usize = (<usize>D) << 3;
  addEight(at, a0, b0);
  addEight(at + down, a1, b1);
  addEight(at + 2 * down, a2, b2);
  addEight(at + 3 * down, a3, b3);
}

function addEight(at: usize, left: v128, right: v128): void {
  addTwo(at, left);
  addTwo(at + 16, v128.shuffle<i32>(left, left, 2, 3, 2, 3));
  addTwo(at + 32, right);
  addTwo(at + 48, v128.shuffle<i32>(right, right, 2, 3, 2, 3));
}

function addTwo(at: usize, pair: v128): void {
  v128.store(at, f64x2.add(v128.load(at), f64x2.promote_low_f32x4(pair)));
}
