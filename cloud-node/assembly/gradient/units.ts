/**
 * Sizes that all workers expect: v follows the square of what was decoded, and a coordinate's unit is the fourth root of it.
 *
 *     v ← keep · v + (1 − keep) · x²          w = (share · (v + floor · mean v))^(1/4),  1 where all of v is 0
 *
 * Every operation is rounded to 32 bits, but for the mean of v, which is a sum of 64 bits in two lanes.
 */

/** @param squares  v, f32 @param average  x, f32 @param count  of both */
export function followSquares(squares: usize, average: usize, count: i32, keep: f32): void {
  const kept = f32x4.splat(keep);
  const fresh = f32x4.splat(1 - keep);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const at = (<usize>i) << 2;
    const x = v128.load(average + at);
    const found = f32x4.mul(f32x4.mul(x, x), fresh);
    v128.store(squares + at, f32x4.add(f32x4.mul(v128.load(squares + at), kept), found));
  }
  for (; i < count; i++) {
    const at = (<usize>i) << 2;
    const x = load<f32>(average + at);
    const found: f32 = x * x * (1 - keep);
    const before: f32 = load<f32>(squares + at) * keep;
    store<f32>(squares + at, before + found);
  }
}

/** Units of one tensor. @param weights  out, f32 */
export function unitsOf(squares: usize, count: i32, share: f32, floor: f32, weights: usize): void {
  const mean = meanOf(squares, count);
  const least = f32x4.splat(floor * mean);
  const shared = f32x4.splat(share);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const at = (<usize>i) << 2;
    const square = f32x4.mul(f32x4.add(v128.load(squares + at), least), shared);
    v128.store(weights + at, mean == 0 ? f32x4.splat(1) : f32x4.sqrt(f32x4.sqrt(square)));
  }
  for (; i < count; i++) {
    const at = (<usize>i) << 2;
    const sum: f32 = load<f32>(squares + at) + floor * mean;
    const square: f32 = sum * share;
    store<f32>(weights + at, mean == 0 ? 1 : sqrt<f32>(sqrt<f32>(square)));
  }
}

function meanOf(x: usize, count: i32): f32 {
  let sums = f64x2.splat(0);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const four = v128.load(x + ((<usize>i) << 2));
    const high = i8x16.shuffle(four, four, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    sums = f64x2.add(sums, f64x2.add(f64x2.promote_low_f32x4(four), f64x2.promote_low_f32x4(high)));
  }
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; i < count; i++) sum += <f64>load<f32>(x + ((<usize>i) << 2));
  return count == 0 ? 0 : <f32>(sum / <f64>count);
}

/** to += from, f32 each. */
export function addNumbers(from: usize, count: i32, to: usize): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const at = (<usize>i) << 2;
    v128.store(to + at, f32x4.add(v128.load(to + at), v128.load(from + at)));
  }
  for (; i < count; i++) {
    const at = (<usize>i) << 2;
    store<f32>(to + at, load<f32>(to + at) + load<f32>(from + at));
  }
}
