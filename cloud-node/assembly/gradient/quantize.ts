import { halfStepOffset, quantizeFrom, stochasticOffset, thresholdOffset } from "../../../edge-sdk/assembly/quantizer";
import { fourDraws, oneDraw } from "./draws";

/**
 * Values to codes by the one quantizer of `edge-sdk/assembly/quantizer.ts`, four at a time where its step is a power of two:
 *
 *     d = x / w · 2^bits / D            |q| = min((|d| + offset) >> bits, limit)
 *
 * d is rounded to the nearest integer, and towards 0 where the offset is 0, so that nothing is lifted over a threshold.
 */
export const MODE_ERROR_BOUNDED: i32 = 0;
export const MODE_THRESHOLD: i32 = 1;
export const MODE_STOCHASTIC: i32 = 2;
/** Bits of d below the code; codes of error-bounded messages are longer. */
export const FINE_BITS: i32 = 24;
export const COARSE_BITS: i32 = 16;

/** Σ |x / w| / D over the codes of the last call that are at the limit, and how many they are. */
export let topSum: f64 = 0;
export let topCount: i32 = 0;
/** Whether every x / w was finite. */
export let allFinite: bool = true;

/**
 * @param values  f32
 * @param weights  f32 each; 0: all are 1
 * @param perStep  1 / D
 * @param seed, index  of the draws; the first value's index
 * @param codes  out, i16
 * @returns how many codes are not 0
 */
export function quantizeValues(
  values: usize,
  weights: usize,
  count: i32,
  perStep: f32,
  mode: i32,
  limit: i32,
  seed: u32,
  index: u32,
  codes: usize,
): i32 {
  const bits = mode == MODE_ERROR_BOUNDED ? COARSE_BITS : FINE_BITS;
  const scale = perStep * <f32>(1 << bits);
  let sums = f32x4.splat(0);
  let tops = i32x4.splat(0);
  let sent = i32x4.splat(0);
  let strange = i32x4.splat(0);
  const most = i32x4.splat(limit);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const at = (<usize>i) << 2;
    let u = v128.load(values + at);
    if (weights != 0) u = f32x4.div(u, v128.load(weights + at));
    strange = v128.or(strange, f32x4.ne(f32x4.sub(u, u), f32x4.splat(0)));
    const scaled = f32x4.mul(f32x4.abs(u), f32x4.splat(scale));
    let size = i32x4.trunc_sat_f32x4_s(mode == MODE_THRESHOLD ? scaled : f32x4.nearest(scaled));
    const exact = size;
    if (mode == MODE_STOCHASTIC) size = i32x4.add(size, i32x4.shr_u(fourDraws(seed, index + i), 32 - FINE_BITS));
    else if (mode == MODE_ERROR_BOUNDED) size = i32x4.add(size, i32x4.splat(1 << (COARSE_BITS - 1)));
    size = i32x4.min_u(i32x4.shr_u(size, bits), most);
    const top = i32x4.eq(size, most);
    sums = f32x4.add(sums, v128.and(top, f32x4.convert_i32x4_s(exact)));
    tops = i32x4.sub(tops, top);
    sent = i32x4.sub(sent, i32x4.gt_s(size, i32x4.splat(0)));
    const isNegative = i32x4.shr_s(u, 31);
    const code = i32x4.sub(v128.xor(size, isNegative), isNegative);
    store<u64>(codes + ((<usize>i) << 1), <u64>i64x2.extract_lane(i16x8.narrow_i32x4_s(code, code), 0));
  }
  topSum = <f64>sumOfFour(sums);
  topCount = countOfFour(tops);
  allFinite = !v128.any_true(strange);
  let rest = 0;
  for (; i < count; i++) rest += quantizeOne(values, weights, i, scale, mode, limit, seed, index, codes);
  topSum /= <f64>(1 << bits);
  return countOfFour(sent) + rest;
}

function sumOfFour(x: v128): f32 {
  const low = f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1);
  return low + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

function countOfFour(x: v128): i32 {
  return i32x4.extract_lane(x, 0) + i32x4.extract_lane(x, 1) + i32x4.extract_lane(x, 2) + i32x4.extract_lane(x, 3);
}

/** One of those that are left over. @returns 1 where its code is not 0 */
function quantizeOne(
  values: usize,
  weights: usize,
  i: i32,
  scale: f32,
  mode: i32,
  limit: i32,
  seed: u32,
  index: u32,
  codes: usize,
): i32 {
  const at = (<usize>i) << 2;
  let u = load<f32>(values + at);
  if (weights != 0) u /= load<f32>(weights + at);
  if (u - u != 0) allFinite = false;
  const scaled = abs(u) * scale;
  const size = min<f64>(<f64>(mode == MODE_THRESHOLD ? scaled : nearest(scaled)), <f64>i32.MAX_VALUE);
  const exact = <i64>size; // 0 where it is not a number
  const step: i64 = 1 << (mode == MODE_ERROR_BOUNDED ? COARSE_BITS : FINE_BITS);
  let offset = thresholdOffset(step, step);
  if (mode == MODE_STOCHASTIC) offset = stochasticOffset(step, oneDraw(seed, index + i));
  else if (mode == MODE_ERROR_BOUNDED) offset = halfStepOffset(step);
  const code = quantizeFrom(reinterpret<i32>(u) < 0 ? -exact : exact, step, offset, limit);
  if (abs<i64>(code) == limit) {
    topSum += <f64>exact;
    topCount += 1;
  }
  store<i16>(codes + ((<usize>i) << 1), <i16>code);
  return i32(code != 0);
}

/**
 * Codes back to values: out += factor · sign(q) · w · D · place, where the place of a code below the limit is |q| + shift,
 * and of one at the limit `top`.
 *
 * @param codes  i16; out  f32
 */
export function addValues(
  codes: usize,
  weights: usize,
  count: i32,
  step: f32,
  limit: i32,
  shift: f32,
  top: f32,
  factor: f32,
  out: usize,
): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const code = v128.load16x4_s(codes + ((<usize>i) << 1));
    if (!v128.any_true(code)) continue;
    const at = (<usize>i) << 2;
    const size = i32x4.abs(code);
    const isTop = i32x4.eq(size, i32x4.splat(limit));
    let place = f32x4.add(f32x4.convert_i32x4_s(size), f32x4.splat(shift));
    place = v128.bitselect(f32x4.splat(top), place, isTop);
    place = v128.andnot(place, i32x4.eq(code, i32x4.splat(0)));
    let value = f32x4.mul(place, f32x4.splat(step));
    if (weights != 0) value = f32x4.mul(value, v128.load(weights + at));
    value = v128.xor(f32x4.mul(value, f32x4.splat(factor)), v128.and(code, i32x4.splat(i32.MIN_VALUE)));
    v128.store(out + at, f32x4.add(v128.load(out + at), value));
  }
  for (; i < count; i++) {
    const code = <i32>load<i16>(codes + ((<usize>i) << 1));
    if (code == 0) continue;
    const at = (<usize>i) << 2;
    const size = abs(code);
    const place: f32 = size == limit ? top : <f32>size + shift;
    let value: f32 = place * step;
    if (weights != 0) value *= load<f32>(weights + at);
    value *= factor;
    store<f32>(out + at, load<f32>(out + at) + (code < 0 ? -value : value));
  }
}
