/**
 * Small steps on four 32-bit floats at a time; every order of additions is fixed.
 *
 * Loops that a host may run in vectors of 256 bits go by pairs, and store the second of a pair first: of a pair whose first
 * is stored first, V8 writes that one twice.
 */

/** a · b + c: rounded twice in the strict module, as the host's CPU likes in the relaxed one. */
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

export function sumLanes(x: v128): f32 {
  const low = f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1);
  return low + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

export function maxLane(x: v128): f32 {
  const low = max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1));
  return max(low, max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)));
}

/** The first `count` lanes, none below 1 and all from 4 on; the rest are 0. */
export function firstLanes(x: v128, count: i32): v128 {
  const lane = i32x4(0, 1, 2, 3);
  return v128.and(x, i32x4.lt_s(lane, i32x4.splat(count)));
}

/** Store the first `count` lanes: all for 4 and more. */
export function storeLanes(at: usize, x: v128, count: i32): void {
  if (count >= 4) {
    v128.store(at, x);
    return;
  }
  f32.store(at, f32x4.extract_lane(x, 0));
  if (count > 1) f32.store(at, f32x4.extract_lane(x, 1), 4);
  if (count > 2) f32.store(at, f32x4.extract_lane(x, 2), 8);
}
