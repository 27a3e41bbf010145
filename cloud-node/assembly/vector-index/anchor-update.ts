import { noiseAt } from "./counter-noise";

/**
 * Add every row to the sum of its anchor.
 *
 * @param rows  i16, shape (k, D)
 * @param k  so few that no sum leaves 32 bits: k · R · the largest weight < 2^31
 * @param ids  u32, shape (k)
 * @param weights  u8, shape (k): what a row counts; 0 leaves it out
 * @param sums  i32, shape (m, D), added to
 * @param counts  i32, shape (m), added to
 */
export function addToSums(rows: usize, k: i32, D: i32, ids: usize, weights: usize, sums: usize, counts: usize): void {
  for (let i: i32 = 0; i < k; i++) {
    const weight: i32 = load<u8>(weights + i);
    if (weight === 0) continue;
    const id: usize = load<u32>(ids + ((<usize>i) << 2));
    const row: usize = rows + ((<usize>i * D) << 1);
    const sum: usize = sums + ((id * D) << 2);
    const factor: v128 = i32x4.splat(weight);
    for (let j: i32 = 0; j < D; j += 8) {
      const x: v128 = v128.load(row + ((<usize>j) << 1));
      const at: usize = sum + ((<usize>j) << 2);
      const low: v128 = i32x4.mul(i32x4.extend_low_i16x8_s(x), factor);
      const high: v128 = i32x4.mul(i32x4.extend_high_i16x8_s(x), factor);
      v128.store(at, i32x4.add(v128.load(at), low));
      v128.store(at, i32x4.add(v128.load(at, 16), high), 16);
    }
    const count: usize = counts + (id << 2);
    store<i32>(count, load<i32>(count) + weight);
  }
}

/**
 * Move every anchor to the mean of its rows, and disturb it.
 *
 *   c_j = clamp(round(sum_j / count) + noise, −R, R),   noise = (bell(seed, index) · amplitude_j + 2^15) >> 16
 *
 * An anchor that nothing counts for stays where it is.
 *
 * @param sums  i32, shape (m, D)
 * @param counts  i32, shape (m)
 * @param amplitudes  i32, shape (D), 0 ≤ a < 2^22; grid steps times 2^16 a unit of the bell
 * @param seed  u32, another one for every iteration
 * @param range  R
 * @param anchors  i16, shape (m, D), overwritten
 */
export function updateAnchors(
  sums: usize,
  counts: usize,
  m: i32,
  D: i32,
  amplitudes: usize,
  seed: u32,
  range: i32,
  anchors: usize,
): void {
  for (let a: i32 = 0; a < m; a++) {
    const count: i32 = load<i32>(counts + ((<usize>a) << 2));
    if (count === 0) continue;
    for (let j: i32 = 0; j < D; j++) {
      const index: i32 = a * D + j;
      const mean: i32 = roundedQuotient(load<i32>(sums + ((<usize>index) << 2)), count);
      const noise: i32 = noiseAt(seed, index, load<i32>(amplitudes + ((<usize>j) << 2)));
      store<i16>(anchors + ((<usize>index) << 1), <i16>min(max(mean + noise, -range), range));
    }
  }
}

/** a / b to the nearest integer, halves away from 0; b > 0. */
function roundedQuotient(a: i32, b: i32): i32 {
  const quotient: i32 = a / b;
  const rest: i32 = a % b;
  const isUp: bool = 2 * abs(rest) >= b;
  return quotient + (isUp ? (a < 0 ? -1 : 1) : 0);
}
