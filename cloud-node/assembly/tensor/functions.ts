/**
 * Transcendental functions on four floats, from additions, multiplications and divisions in a fixed order, so that the
 * strict module gives the same bits on every machine. Polynomials are minimax fits of the remainder on the reduced
 * range; errors are a few units in the last place, where not said otherwise.
 */
import { madd } from "./lanes";

/*
 * Constants are loaded from tables: V8 builds a vector constant from three instructions wherever it is used, and loads
 * one with a single one. Instances that share a memory write the same tables to the same place.
 */
/** log2 e; 1.5 · 2^23, which rounds to whole numbers when added; ln 2 in two parts, so that products with the first are exact. */
const EXP_RANGE: usize = memory.data<f32>([Math.LOG2E as f32, 12582912, 0.693359375, -2.1219444e-4, 88.3, -87.3]);
const EXP_SERIES: usize = memory.data<f32>([1.38131444e-3, 8.36941885e-3, 4.16684568e-2, 0.166665148, 0.499999931, 1]);
const LOG_SERIES: usize = memory.data<f32>([
  -0.0785961151, 0.128816475, -0.131287548, 0.141811919, -0.16624554, 0.200022863, -0.250008104, 0.333333167,
]);
const TANH_SERIES: usize = memory.data<f32>([-5.71704451e-3, 2.06505868e-2, -5.37434979e-2, 0.133314913, -0.333332839]);
const TAIL_SERIES: usize = memory.data<f32>([
  0.0388707365, -0.25193358, 0.536862066, -0.324591397, 0.307013954, 0.0685484786, 0.125229739, 0.3,
]);

/** e^x; 0 below -87.3, where it would be no normal number, and no more than e^88.3. */
export function exponential(x: v128): v128 {
  const most = f32x4.pmin(x, v128.load32_splat(EXP_RANGE, 16));
  const rounder = v128.load32_splat(EXP_RANGE, 4);
  const rounded = f32x4.add(f32x4.mul(most, v128.load32_splat(EXP_RANGE)), rounder);
  const power = f32x4.sub(rounded, rounder);
  const high = f32x4.sub(most, f32x4.mul(power, v128.load32_splat(EXP_RANGE, 8)));
  const r = f32x4.sub(high, f32x4.mul(power, v128.load32_splat(EXP_RANGE, 12)));
  let p = madd(v128.load32_splat(EXP_SERIES), r, v128.load32_splat(EXP_SERIES, 4));
  p = madd(p, r, v128.load32_splat(EXP_SERIES, 8));
  p = madd(p, r, v128.load32_splat(EXP_SERIES, 12));
  p = madd(p, r, v128.load32_splat(EXP_SERIES, 16));
  const one = v128.load32_splat(EXP_SERIES, 20);
  p = madd(f32x4.mul(r, r), p, f32x4.add(r, one));
  // The whole number is in the low bits of what was rounded: shifted, it is an exponent.
  const scaled = f32x4.mul(p, i32x4.add(i32x4.shl(rounded, 23), one));
  return v128.andnot(scaled, f32x4.lt(x, v128.load32_splat(EXP_RANGE, 20)));
}

/** Natural logarithm of normal numbers > 0. */
export function logarithm(x: v128): v128 {
  // Bits of √½ taken off, so that the fraction lies in [√½, √2).
  const shifted = i32x4.sub(x, i32x4.splat(0x3f3504f3));
  const power = f32x4.convert_i32x4_s(i32x4.shr_s(shifted, 23));
  const fraction = i32x4.add(v128.and(shifted, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const f = f32x4.sub(fraction, f32x4.splat(1));
  let p = madd(v128.load32_splat(LOG_SERIES), f, v128.load32_splat(LOG_SERIES, 4));
  p = madd(p, f, v128.load32_splat(LOG_SERIES, 8));
  p = madd(p, f, v128.load32_splat(LOG_SERIES, 12));
  p = madd(p, f, v128.load32_splat(LOG_SERIES, 16));
  p = madd(p, f, v128.load32_splat(LOG_SERIES, 20));
  p = madd(p, f, v128.load32_splat(LOG_SERIES, 24));
  p = madd(p, f, v128.load32_splat(LOG_SERIES, 28));
  const square = f32x4.mul(f, f);
  let small = f32x4.mul(f32x4.mul(square, f), p);
  small = madd(power, v128.load32_splat(EXP_RANGE, 12), small);
  small = madd(square, f32x4.splat(-0.5), small);
  return madd(power, v128.load32_splat(EXP_RANGE, 8), f32x4.add(small, f));
}

/** tanh x, by its odd polynomial near 0, so that small results keep their digits. */
export function hyperbolicTangent(x: v128): v128 {
  const size = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = madd(v128.load32_splat(TANH_SERIES), z, v128.load32_splat(TANH_SERIES, 4));
  p = madd(p, z, v128.load32_splat(TANH_SERIES, 8));
  p = madd(p, z, v128.load32_splat(TANH_SERIES, 12));
  p = madd(p, z, v128.load32_splat(TANH_SERIES, 16));
  const near = madd(f32x4.mul(x, z), p, x);
  const power = exponential(f32x4.add(size, size));
  const far = f32x4.sub(f32x4.splat(1), f32x4.div(f32x4.splat(2), f32x4.add(power, f32x4.splat(1))));
  const signed = v128.or(far, v128.and(x, i32x4.splat(0x80000000)));
  return v128.bitselect(near, signed, f32x4.lt(size, f32x4.splat(0.625)));
}

/** 1 / (1 + e^−x). */
export function sigmoid(x: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), exponential(f32x4.neg(x))));
}

/** e^(−x²/2): the normal density without its factor. */
export function bell(x: v128): v128 {
  return exponential(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
}

/**
 * Share of the normal distribution below x, to 1e-7: the tail beyond |x| is bell(x) times a polynomial in
 * t = 1 / (1 + 0.3 |x|).
 *
 * @see Abramowitz and Stegun 26.2.17, for the form; the coefficients are a fit on |x| ≤ 7
 */
export function normalShare(x: v128, bellOfX: v128): v128 {
  const one = v128.load32_splat(EXP_SERIES, 20);
  const t = f32x4.div(one, madd(f32x4.abs(x), v128.load32_splat(TAIL_SERIES, 28), one));
  let p = madd(v128.load32_splat(TAIL_SERIES), t, v128.load32_splat(TAIL_SERIES, 4));
  p = madd(p, t, v128.load32_splat(TAIL_SERIES, 8));
  p = madd(p, t, v128.load32_splat(TAIL_SERIES, 12));
  p = madd(p, t, v128.load32_splat(TAIL_SERIES, 16));
  p = madd(p, t, v128.load32_splat(TAIL_SERIES, 20));
  p = madd(p, t, v128.load32_splat(TAIL_SERIES, 24));
  const tail = f32x4.mul(f32x4.mul(p, t), bellOfX);
  return v128.bitselect(f32x4.sub(one, tail), tail, f32x4.gt(x, f32x4.splat(0)));
}
