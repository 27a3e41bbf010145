/**
 * Transcendental functions on four floats, from additions, multiplications and divisions in a fixed order, so that the
 * strict module gives the same bits on every machine. Polynomials are minimax fits of the remainder on the reduced
 * range; errors are a few units in the last place, where not said otherwise.
 */
import { madd } from "./lanes";

/*
 * Constants are loaded from tables, and before loops: written where they are used, V8 builds a vector of each from three
 * instructions every time. Instances that share a memory write the same tables to the same place.
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

/**
 * out = e^(factor · x − shift) for `count` vectors, `stride` bytes apart; 0 where it would be no normal number, and no
 * more than e^88.3. `out` may be `x`. One loop for all callers, so that nothing is called in it.
 *
 * @returns the sums of each lane, in order
 */
export function exponentials(out: usize, x: usize, stride: usize, count: i32, factor: v128, shift: v128): v128 {
  const log2E = v128.load32_splat(EXP_RANGE);
  const rounder = v128.load32_splat(EXP_RANGE, 4);
  const ln2High = v128.load32_splat(EXP_RANGE, 8);
  const ln2Low = v128.load32_splat(EXP_RANGE, 12);
  const largest = v128.load32_splat(EXP_RANGE, 16);
  const smallest = v128.load32_splat(EXP_RANGE, 20);
  const c6 = v128.load32_splat(EXP_SERIES);
  const c5 = v128.load32_splat(EXP_SERIES, 4);
  const c4 = v128.load32_splat(EXP_SERIES, 8);
  const c3 = v128.load32_splat(EXP_SERIES, 12);
  const c2 = v128.load32_splat(EXP_SERIES, 16);
  const one = v128.load32_splat(EXP_SERIES, 20);
  let sums = f32x4.splat(0);
  for (; count > 0; count--) {
    const exponent = f32x4.sub(f32x4.mul(v128.load(x), factor), shift);
    const most = f32x4.pmin(exponent, largest);
    const rounded = f32x4.add(f32x4.mul(most, log2E), rounder);
    const power = f32x4.sub(rounded, rounder);
    const r = f32x4.sub(f32x4.sub(most, f32x4.mul(power, ln2High)), f32x4.mul(power, ln2Low));
    let p = madd(c6, r, c5);
    p = madd(p, r, c4);
    p = madd(p, r, c3);
    p = madd(p, r, c2);
    p = madd(f32x4.mul(r, r), p, f32x4.add(r, one));
    // The whole number is in the low bits of what was rounded: shifted, it is an exponent.
    const scaled = f32x4.mul(p, i32x4.add(i32x4.shl(rounded, 23), one));
    const result = v128.andnot(scaled, f32x4.lt(exponent, smallest));
    v128.store(out, result);
    sums = f32x4.add(sums, result);
    x += stride;
    out += stride;
  }
  return sums;
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

/** out = tanh x for `count` vectors, by its odd polynomial near 0, so that small results keep their digits. */
export function hyperbolicTangents(out: usize, x: usize, count: i32): void {
  const bytes = usize(count) << 4;
  for (let at: usize = 0; at < bytes; at += 16) v128.store(out + at, f32x4.abs(v128.load(x + at)));
  exponentials(out, out, 16, count, f32x4.splat(2), f32x4.splat(0));
  const one = f32x4.splat(1);
  for (let at: usize = 0; at < bytes; at += 16) {
    const value = v128.load(x + at);
    const z = f32x4.mul(value, value);
    let p = madd(v128.load32_splat(TANH_SERIES), z, v128.load32_splat(TANH_SERIES, 4));
    p = madd(p, z, v128.load32_splat(TANH_SERIES, 8));
    p = madd(p, z, v128.load32_splat(TANH_SERIES, 12));
    p = madd(p, z, v128.load32_splat(TANH_SERIES, 16));
    const near = madd(f32x4.mul(value, z), p, value);
    const far = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(v128.load(out + at), one)));
    const signed = v128.or(far, v128.and(value, i32x4.splat(0x80000000)));
    v128.store(out + at, v128.bitselect(near, signed, f32x4.lt(f32x4.abs(value), f32x4.splat(0.625))));
  }
}

/** out = 1 / (1 + e^−x) for `count` vectors. */
export function sigmoids(out: usize, x: usize, count: i32): void {
  exponentials(out, x, 16, count, f32x4.splat(-1), f32x4.splat(0));
  const one = f32x4.splat(1);
  const end = out + (usize(count) << 4);
  for (; out < end; out += 16) v128.store(out, f32x4.div(one, f32x4.add(one, v128.load(out))));
}

/**
 * For `count` vectors: `bells` gets e^(−x²/2), the normal density without its factor, and `shares` the share of the
 * normal distribution below x, to 1e-7: the tail beyond |x| is the bell times a polynomial in t = 1 / (1 + 0.3 |x|).
 *
 * @see Abramowitz and Stegun 26.2.17, for the form; the coefficients are a fit on |x| ≤ 7
 */
export function normalShares(shares: usize, bells: usize, x: usize, count: i32): void {
  const bytes = usize(count) << 4;
  for (let at: usize = 0; at < bytes; at += 16) {
    const value = v128.load(x + at);
    v128.store(bells + at, f32x4.mul(value, value));
  }
  exponentials(bells, bells, 16, count, f32x4.splat(-0.5), f32x4.splat(0));
  const c7 = v128.load32_splat(TAIL_SERIES);
  const c6 = v128.load32_splat(TAIL_SERIES, 4);
  const c5 = v128.load32_splat(TAIL_SERIES, 8);
  const c4 = v128.load32_splat(TAIL_SERIES, 12);
  const c3 = v128.load32_splat(TAIL_SERIES, 16);
  const c2 = v128.load32_splat(TAIL_SERIES, 20);
  const c1 = v128.load32_splat(TAIL_SERIES, 24);
  const nearness = v128.load32_splat(TAIL_SERIES, 28);
  const one = v128.load32_splat(EXP_SERIES, 20);
  for (let at: usize = 0; at < bytes; at += 16) {
    const value = v128.load(x + at);
    const t = f32x4.div(one, madd(f32x4.abs(value), nearness, one));
    let p = madd(c7, t, c6);
    p = madd(p, t, c5);
    p = madd(p, t, c4);
    p = madd(p, t, c3);
    p = madd(p, t, c2);
    p = madd(p, t, c1);
    const tail = f32x4.mul(f32x4.mul(p, t), v128.load(bells + at));
    v128.store(shares + at, v128.bitselect(f32x4.sub(one, tail), tail, f32x4.gt(value, f32x4.splat(0))));
  }
}
