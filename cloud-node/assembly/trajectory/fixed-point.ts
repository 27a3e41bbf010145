import { STATUS_SHAPE } from "./status";

/**
 * Values to int32 in units of u, and back. With S sub-bits a step of the quantizer is 2^S units:
 *
 *     u = (h - l) / (2^(S-1) + 0.5005)     S > 0; u = (h - l) / 0.5005 for S = 0
 *     X = nearest(x / u), |X| <= 2^30      x' = R u, rounded to the type of the values
 *
 * h is the half step wanted, l what rounding the output loses at most: half a unit in the last place of the largest
 * value, and whatever the caller adds. The quantizer leaves |X - R| <= 2^(S-1), so
 * |x - R u| <= u (2^(S-1) + 0.5 + 0.0005) = h - l: the 0.0005 pays for the two roundings of x (1/u), each at most
 * 2^-53 of |X| <= 2^30. docs/trajectory-format.md has the proof.
 */
const LARGEST: f64 = 1073741824.0;
const FLOAT32_HALF_PLACE: f64 = 5.9604644775390625e-8;
const FLOAT64_HALF_PLACE: f64 = 1.1102230246251565e-16;
/** 1.5 * 2^52: what is added to it is rounded as `nearest` rounds, and is its low 32 bits, up to 2^31. */
const WHOLE: f64 = 6755399441055744.0;
/** Rounding may take this part of the half step; values where it would take more are escapes. */
const ROUNDING_SHARE: f64 = 0.25;

function halfPlace(elementBytes: i32): f64 {
  return elementBytes == 4 ? FLOAT32_HALF_PLACE : FLOAT64_HALF_PLACE;
}

function halfStepUnits(subBits: i32): f64 {
  return subBits > 0 ? <f64>(1 << (subBits - 1)) + 0.5005 : 0.5005;
}

/** Largest |x| that may be coded with these sub-bits: larger ones are escapes. */
export function limitOf(halfStep: f64, loss: f64, subBits: i32, elementBytes: i32): f64 {
  const left = halfStep - loss;
  const byRounding = (ROUNDING_SHARE * left) / halfPlace(elementBytes);
  const byRange = (LARGEST * (1.0 - ROUNDING_SHARE) * left) / halfStepUnits(subBits);
  return min(byRounding, byRange);
}

/** The unit for values up to `largest`, which is at most `limitOf` of the same arguments. */
export function unitOf(halfStep: f64, loss: f64, subBits: i32, elementBytes: i32, largest: f64): f64 {
  return (halfStep - loss - largest * halfPlace(elementBytes)) / halfStepUnits(subBits);
}

function valueAt(at: usize, i: i32, elementBytes: i32): f64 {
  return elementBytes == 4 ? <f64>load<f32>(at + ((<usize>i) << 2)) : load<f64>(at + ((<usize>i) << 3));
}

/**
 * Look at values before they are coded.
 *
 * @param largest  f64 in memory, raised to the largest |x| <= limit
 * @returns how many are NaN, infinite or beyond the limit
 */
export function scanValues(at: usize, count: i32, elementBytes: i32, limit: f64, largest: usize): i32 {
  let most = load<f64>(largest);
  let escapes = 0;
  let i = 0;
  if (ASC_FEATURE_SIMD) {
    let mosts = f64x2.splat(most);
    const limits = f64x2.splat(limit);
    let outside = i64x2.splat(0);
    for (; i + 4 <= count; i += 4) {
      const low = f64x2.abs(pairAt(at, i, elementBytes));
      const high = f64x2.abs(pairAt(at, i + 2, elementBytes));
      const isLow = f64x2.le(low, limits);
      const isHigh = f64x2.le(high, limits);
      mosts = f64x2.pmax(f64x2.pmax(mosts, v128.and(low, isLow)), v128.and(high, isHigh));
      outside = i64x2.sub(outside, i64x2.add(v128.not(isLow), v128.not(isHigh)));
    }
    most = max(f64x2.extract_lane(mosts, 0), f64x2.extract_lane(mosts, 1));
    escapes = <i32>(i64x2.extract_lane(outside, 0) + i64x2.extract_lane(outside, 1));
  }
  for (; i < count; i++) {
    const size = abs(valueAt(at, i, elementBytes));
    if (size <= limit) {
      if (size > most) most = size;
    } else {
      escapes += 1;
    }
  }
  store<f64>(largest, most);
  return escapes;
}

/** Values i and i + 1 as doubles. */
function pairAt(at: usize, i: i32, elementBytes: i32): v128 {
  if (elementBytes == 4) return f64x2.promote_low_f32x4(v128.load64_zero(at + ((<usize>i) << 2)));
  return v128.load(at + ((<usize>i) << 3));
}

/**
 * Values to fixed point. An escape takes the place of `stand` at the same index, or 0 where that is 0: it costs nothing.
 *
 * @param stand  fixed-point values of the frame before; 0 for none
 */
export function toFixed(
  at: usize,
  count: i32,
  elementBytes: i32,
  limit: f64,
  unit: f64,
  out: usize,
  stand: usize,
): void {
  const inverse = 1.0 / unit;
  let i = 0;
  if (ASC_FEATURE_SIMD) {
    for (; i + 4 <= count; i += 4) toFixedQuad(at, i, elementBytes, limit, inverse, out, stand);
  }
  for (; i < count; i++) toFixedOne(at, i, elementBytes, limit, inverse, out, stand);
}

function toFixedOne(at: usize, i: i32, elementBytes: i32, limit: f64, inverse: f64, out: usize, stand: usize): void {
  const value = valueAt(at, i, elementBytes);
  const place = (<usize>i) << 2;
  const fixed = abs(value) <= limit ? <i32>nearest(value * inverse) : stand != 0 ? load<i32>(stand + place) : 0;
  store<i32>(out + place, fixed);
}

function toFixedQuad(at: usize, i: i32, elementBytes: i32, limit: f64, inverse: f64, out: usize, stand: usize): void {
  const low = pairAt(at, i, elementBytes);
  const high = pairAt(at, i + 2, elementBytes);
  const most = f64x2.splat(limit);
  const inside = v128.and(f64x2.le(f64x2.abs(low), most), f64x2.le(f64x2.abs(high), most));
  if (!i64x2.all_true(inside)) {
    for (let j = 0; j < 4; j++) toFixedOne(at, i + j, elementBytes, limit, inverse, out, stand);
    return;
  }
  const scale = f64x2.splat(inverse);
  const whole = f64x2.splat(WHOLE);
  const a = f64x2.add(f64x2.mul(low, scale), whole);
  const b = f64x2.add(f64x2.mul(high, scale), whole);
  v128.store(out + ((<usize>i) << 2), i8x16.shuffle(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27));
}

/** Fixed point to values of a type. */
export function fromFixed(at: usize, count: i32, elementBytes: i32, unit: f64, out: usize): void {
  let i = 0;
  if (ASC_FEATURE_SIMD) {
    for (; i + 4 <= count; i += 4) {
      const low = fixedPair(at, i, unit);
      const high = fixedPair(at, i + 2, unit);
      if (elementBytes == 4) {
        const two = f32x4.demote_f64x2_zero(low);
        const more = f32x4.demote_f64x2_zero(high);
        const four = i8x16.shuffle(two, more, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
        v128.store(out + ((<usize>i) << 2), four);
      } else {
        v128.store(out + ((<usize>i) << 3), low);
        v128.store(out + ((<usize>i) << 3), high, 16);
      }
    }
  }
  for (; i < count; i++) {
    const value = <f64>load<i32>(at + ((<usize>i) << 2)) * unit;
    if (elementBytes == 4) store<f32>(out + ((<usize>i) << 2), <f32>value);
    else store<f64>(out + ((<usize>i) << 3), value);
  }
}

/** Fixed-point values i and i + 1 as doubles, not yet rounded to a type. */
function fixedPair(at: usize, i: i32, unit: f64): v128 {
  return f64x2.mul(f64x2.convert_low_i32x4_s(v128.load64_zero(at + ((<usize>i) << 2))), f64x2.splat(unit));
}

/**
 * Where the values beyond the limit are.
 *
 * @param out  u32 indices, as many as `scanValues` counted
 * @returns how many
 */
export function escapeValues(at: usize, count: i32, elementBytes: i32, limit: f64, out: usize): i32 {
  let found = 0;
  for (let i = 0; i < count; i++) {
    if (abs(valueAt(at, i, elementBytes)) <= limit) continue;
    store<i32>(out + ((<usize>found) << 2), i);
    found += 1;
  }
  return found;
}

/**
 * Compare what was coded with what comes back. Bits that are the same have no error, whatever they are.
 *
 * @param limit  values beyond it do not count: infinity, and all do
 * @param sums  two f64 in memory: raised to the largest error, and grown by the sum of its squares; NaN where one is
 * @returns STATUS_SHAPE for an element size that is none, else 0
 */
export function worstError(source: usize, back: usize, count: i32, elementBytes: i32, limit: f64, sums: usize): i32 {
  return compare(source, back, count, elementBytes, 0, limit, sums);
}

/**
 * The same where what comes back is what `fromFixed` would make of fixed-point values.
 *
 * @param fixed  int32
 * @param unit  > 0
 */
export function worstFixedError(
  source: usize,
  fixed: usize,
  count: i32,
  elementBytes: i32,
  unit: f64,
  limit: f64,
  sums: usize,
): i32 {
  return compare(source, fixed, count, elementBytes, unit, limit, sums);
}

/** @param unit  of `back`, or 0 where it has values */
function compare(source: usize, back: usize, count: i32, elementBytes: i32, unit: f64, limit: f64, sums: usize): i32 {
  if (elementBytes != 4 && elementBytes != 8) return STATUS_SHAPE;
  let worst = load<f64>(sums);
  // Even and odd values apart, as two lanes add them up.
  let even: f64 = 0;
  let odd: f64 = 0;
  let i = 0;
  if (ASC_FEATURE_SIMD) {
    const limits = f64x2.splat(limit);
    let worsts = f64x2.splat(worst);
    let squares = f64x2.splat(0);
    for (; i + 2 <= count; i += 2) {
      const values = pairAt(source, i, elementBytes);
      const others = unit > 0 ? fixedPairAt(back, i, elementBytes, unit) : pairAt(back, i, elementBytes);
      const counted = v128.andnot(f64x2.le(f64x2.abs(values), limits), i64x2.eq(values, others));
      const errors = v128.and(f64x2.abs(f64x2.sub(values, others)), counted);
      // The maximum below passes over NaN, which the squares keep.
      squares = f64x2.add(squares, f64x2.mul(errors, errors));
      worsts = f64x2.pmax(worsts, errors);
    }
    worst = max(f64x2.extract_lane(worsts, 0), f64x2.extract_lane(worsts, 1));
    even = f64x2.extract_lane(squares, 0);
    odd = f64x2.extract_lane(squares, 1);
  }
  for (; i < count; i++) {
    const value = valueAt(source, i, elementBytes);
    const other = unit > 0 ? fixedAt(back, i, elementBytes, unit) : valueAt(back, i, elementBytes);
    if (!(abs(value) <= limit) || reinterpret<i64>(value) == reinterpret<i64>(other)) continue;
    const error = abs(value - other);
    if (i & 1) odd += error * error;
    else even += error * error;
    if (error > worst) worst = error;
  }
  const all = load<f64>(sums, 8) + (even + odd);
  store<f64>(sums, all >= 0 ? worst : NaN);
  store<f64>(sums, all, 8);
  return 0;
}

/** As `fromFixed` has them. */
function fixedPairAt(at: usize, i: i32, elementBytes: i32, unit: f64): v128 {
  const values = fixedPair(at, i, unit);
  return elementBytes == 4 ? f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(values)) : values;
}

function fixedAt(at: usize, i: i32, elementBytes: i32, unit: f64): f64 {
  const value = <f64>load<i32>(at + ((<usize>i) << 2)) * unit;
  return elementBytes == 4 ? <f64>(<f32>value) : value;
}
