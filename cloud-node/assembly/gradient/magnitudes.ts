/**
 * How large values are: what thresholds and steps are chosen by. A magnitude is |x / w| as the bits of a bfloat16, the upper half
 * of a float32: in order, and as finely as a step travels.
 */
export const MAGNITUDES: i32 = 1 << 15;

function fourOf(values: usize, weights: usize, at: usize): v128 {
  const x = v128.load(values + at);
  return f32x4.abs(weights != 0 ? f32x4.div(x, v128.load(weights + at)) : x);
}

function oneOf(values: usize, weights: usize, at: usize): f32 {
  const x = load<f32>(values + at);
  return abs(weights != 0 ? x / load<f32>(weights + at) : x);
}

/** The largest |x / w|; NaN where one is NaN. */
export function largestMagnitude(values: usize, weights: usize, count: i32): f32 {
  let most = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= count; i += 4) most = f32x4.max(most, fourOf(values, weights, (<usize>i) << 2));
  let largest = max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
  for (; i < count; i++) largest = max(largest, oneOf(values, weights, (<usize>i) << 2));
  return largest;
}

/** Count values by magnitude. @param counts  u32 each, MAGNITUDES of them, added to */
export function countMagnitudes(values: usize, weights: usize, count: i32, counts: usize): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const bin = i32x4.shr_u(fourOf(values, weights, (<usize>i) << 2), 16);
    countOne(counts, i32x4.extract_lane(bin, 0));
    countOne(counts, i32x4.extract_lane(bin, 1));
    countOne(counts, i32x4.extract_lane(bin, 2));
    countOne(counts, i32x4.extract_lane(bin, 3));
  }
  for (; i < count; i++) countOne(counts, reinterpret<u32>(oneOf(values, weights, (<usize>i) << 2)) >> 16);
}

function countOne(counts: usize, bin: u32): void {
  const at = counts + ((<usize>(bin & (MAGNITUDES - 1))) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** The magnitude, never 0, with as nearly `wanted` values at and above it as magnitudes can have. */
export function thresholdFor(counts: usize, wanted: u32): i32 {
  let above: u32 = 0;
  let bin = MAGNITUDES - 1;
  for (; bin > 1; bin--) {
    const here = load<u32>(counts + ((<usize>bin) << 2));
    if (above + here >= wanted) {
      const isNearer = above > 0 && wanted - above < above + here - wanted;
      return isNearer ? bin + 1 : bin;
    }
    above += here;
  }
  return bin;
}
