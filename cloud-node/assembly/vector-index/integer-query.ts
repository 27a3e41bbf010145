/** Vectors of 16-bit integers, for dot products that are exact in 32 bits. */
import { paddedD } from "./model-shape";
import { total } from "./rotation";

/**
 * Round a vector, times weights, to 16 bits, as finely as lets its dot product with integers up to `most` fit 32 bits.
 *
 * @param x        (D) f32
 * @param weights  (D) f32
 * @param weighted (D) f32, overwritten
 * @param out      (D) i16, overwritten
 * @returns what one unit is worth, 0 for a vector of zeros
 */
export function roundVector(x: usize, weights: usize, most: f32, weighted: usize, out: usize): f32 {
  const size = paddedD << 2;
  let largest = f32x4.splat(0);
  let sums = f32x4.splat(0);
  for (let j = 0; j < size; j += 16) {
    const value = f32x4.mul(v128.load(x + j), v128.load(weights + j));
    const magnitude = f32x4.abs(value);
    v128.store(weighted + j, value);
    largest = f32x4.max(largest, magnitude);
    sums = f32x4.add(sums, magnitude);
  }
  const top = max(
    max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
  if (!(top > 0)) {
    memory.fill(out, 0, paddedD << 1);
    return 0;
  }
  // Rounding adds at most a half for each dimension to the sum of magnitudes.
  const room: f32 = <f32>2147483000 / most - <f32>paddedD;
  const scale = min<f32>(<f32>32767 / top, room / total(sums));
  const scales = f32x4.splat(scale);
  for (let j = 0; j < size; j += 32) {
    const low = f32x4.nearest(f32x4.mul(v128.load(weighted + j), scales));
    const high = f32x4.nearest(f32x4.mul(v128.load(weighted + j, 16), scales));
    const narrow = i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(low), i32x4.trunc_sat_f32x4_s(high));
    v128.store(out + (j >> 1), narrow);
  }
  return <f32>1 / scale;
}

/** <x, y> of 16-bit and 8-bit integers, a multiple of 16 of them. */
export function dotNarrow(x: usize, y: usize, count: i32): i32 {
  let even = i32x4.splat(0);
  let odd = i32x4.splat(0);
  const end = y + count;
  for (; y < end; y += 16) {
    even = i32x4.add(even, i32x4.dot_i16x8_s(v128.load(x), v128.load_ext<i8>(y)));
    odd = i32x4.add(odd, i32x4.dot_i16x8_s(v128.load(x, 16), v128.load_ext<i8>(y, 8)));
    x += 32;
  }
  return sumOf(i32x4.add(even, odd));
}

function sumOf(sum: v128): i32 {
  const halves = i32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 0, 1));
  return i32x4.extract_lane(halves, 0) + i32x4.extract_lane(halves, 1);
}
