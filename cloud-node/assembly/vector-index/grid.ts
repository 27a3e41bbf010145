/**
 * The grid that anchors are trained on: i16, and so coarse that no sum of training leaves 32 bits.
 *
 *   x, c ∈ [−R, R]^D,   D (2 R)² < 2^31   so that |x − c|² is an i32, as |c|² − 2 <x, c> is
 */

/**
 * Put rows on the grid: the nearest point, or the nearest on its border; dimensions from d on are 0.
 *
 * @param rows  f32, shape (k, d)
 * @param mean  f32, shape (d)
 * @param perUnit  grid steps in one unit of the data
 * @param range  R
 * @param out  i16, shape (k, D)
 */
export function toGrid(rows: usize, k: i32, d: i32, D: i32, mean: usize, perUnit: f32, range: i32, out: usize): void {
  const limit: f32 = <f32>range;
  for (let i: i32 = 0; i < k; i++) {
    const from: usize = rows + ((<usize>i * d) << 2);
    const to: usize = out + ((<usize>i * D) << 1);
    for (let j: i32 = 0; j < d; j++) {
      const x: f32 = load<f32>(from + ((<usize>j) << 2)) - load<f32>(mean + ((<usize>j) << 2));
      const g: f32 = min<f32>(max<f32>(nearest<f32>(x * perUnit), -limit), limit);
      store<i16>(to + ((<usize>j) << 1), <i16>(<i32>g));
    }
    memory.fill(to + ((<usize>d) << 1), 0, (<usize>(D - d)) << 1);
  }
}

/**
 * Rows less their anchors, in the data's unit; dimensions from d on are 0.
 *
 * @param rows  f32, shape (k, d)
 * @param mean  f32, shape (d)
 * @param anchors  f32, shape (m, D), mean taken off
 * @param lists  u32, shape (k): the anchor of each row, < m
 * @param out  f32, shape (k, D)
 */
export function residuals(
  rows: usize,
  k: i32,
  d: i32,
  D: i32,
  mean: usize,
  anchors: usize,
  lists: usize,
  out: usize,
): void {
  for (let i: i32 = 0; i < k; i++) {
    const from: usize = rows + ((<usize>i * d) << 2);
    const to: usize = out + ((<usize>i * D) << 2);
    const anchor: usize = anchors + ((<usize>load<u32>(lists + ((<usize>i) << 2)) * D) << 2);
    for (let j: i32 = 0; j < d; j++) {
      const at: usize = (<usize>j) << 2;
      store<f32>(to + at, load<f32>(from + at) - load<f32>(mean + at) - load<f32>(anchor + at));
    }
    memory.fill(to + ((<usize>d) << 2), 0, (<usize>(D - d)) << 2);
  }
}
