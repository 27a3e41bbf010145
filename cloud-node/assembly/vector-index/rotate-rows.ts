/**
 * out = rows · Pᵀ: the coordinates of rows along the rows of a square matrix.
 *
 * @param rows  f32, shape (k, D), D a multiple of 4
 * @param matrix  f32, shape (D, D)
 * @param out  f32, shape (k, D)
 */
export function rotateRows(rows: usize, k: i32, D: i32, matrix: usize, out: usize): void {
  const bytes: usize = (<usize>D) << 2;
  for (let j: i32 = 0; j < D; j += 4) {
    const direction: usize = matrix + <usize>j * bytes;
    for (let i: i32 = 0; i < k; i++) {
      const at: usize = <usize>i * bytes;
      v128.store(out + at + ((<usize>j) << 2), fourProducts(rows + at, direction, bytes));
    }
  }
}

/** <x, y0> … <x, y3> of four rows that follow one another. */
function fourProducts(x: usize, y: usize, bytes: usize): v128 {
  const y1: usize = y + bytes;
  const y2: usize = y1 + bytes;
  const y3: usize = y2 + bytes;
  let s0: v128 = f32x4.splat(0);
  let s1: v128 = s0;
  let s2: v128 = s0;
  let s3: v128 = s0;
  for (let at: usize = 0; at < bytes; at += 16) {
    const part: v128 = v128.load(x + at);
    s0 = f32x4.add(s0, f32x4.mul(part, v128.load(y + at)));
    s1 = f32x4.add(s1, f32x4.mul(part, v128.load(y1 + at)));
    s2 = f32x4.add(s2, f32x4.mul(part, v128.load(y2 + at)));
    s3 = f32x4.add(s3, f32x4.mul(part, v128.load(y3 + at)));
  }
  // Transposed, so that the four parts of each sum come together.
  const a: v128 = v128.shuffle<f32>(s0, s1, 0, 4, 1, 5);
  const b: v128 = v128.shuffle<f32>(s0, s1, 2, 6, 3, 7);
  const c: v128 = v128.shuffle<f32>(s2, s3, 0, 4, 1, 5);
  const d: v128 = v128.shuffle<f32>(s2, s3, 2, 6, 3, 7);
  const low: v128 = f32x4.add(v128.shuffle<f64>(a, c, 0, 2), v128.shuffle<f64>(a, c, 1, 3));
  const high: v128 = f32x4.add(v128.shuffle<f64>(b, d, 0, 2), v128.shuffle<f64>(b, d, 1, 3));
  return f32x4.add(low, high);
}
