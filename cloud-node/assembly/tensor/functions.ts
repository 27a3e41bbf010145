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
  0.0388707365, -0.25193358, 0.536862066, -0.324591397, 0.307013954, 0.0685484786, 0.125229739, 0.3, 0,
  0.3989422804014327,
]);

/**
 * out = e^(factor · x − shift) for pairs of vectors, `stride` bytes apart; 0 where it would be no normal number, and no
 * more than e^88.3. `out` may be `x`. One loop for all callers, so that nothing is called in it; by pairs, because a host
 * may have registers for both.
 */
export function exponentials(
  out: usize,
  x: usize,
  stride: usize,
  pairs: i32,
  factor: v128,
  shiftLow: v128,
  shiftHigh: v128,
): void {
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
  for (; pairs > 0; pairs--) {
    const exponentLow = f32x4.sub(f32x4.mul(v128.load(x), factor), shiftLow);
    const mostLow = f32x4.pmin(exponentLow, largest);
    const roundedLow = f32x4.add(f32x4.mul(mostLow, log2E), rounder);
    const powerLow = f32x4.sub(roundedLow, rounder);
    const rLow = f32x4.sub(f32x4.sub(mostLow, f32x4.mul(powerLow, ln2High)), f32x4.mul(powerLow, ln2Low));
    const squareLow = f32x4.mul(rLow, rLow);
    let pLow = madd(c6, squareLow, madd(c5, rLow, c4));
    pLow = madd(pLow, squareLow, madd(c3, rLow, c2));
    pLow = madd(squareLow, pLow, f32x4.add(rLow, one));
    const exponentHigh = f32x4.sub(f32x4.mul(v128.load(x, 16), factor), shiftHigh);
    const mostHigh = f32x4.pmin(exponentHigh, largest);
    const roundedHigh = f32x4.add(f32x4.mul(mostHigh, log2E), rounder);
    const powerHigh = f32x4.sub(roundedHigh, rounder);
    const rHigh = f32x4.sub(f32x4.sub(mostHigh, f32x4.mul(powerHigh, ln2High)), f32x4.mul(powerHigh, ln2Low));
    const squareHigh = f32x4.mul(rHigh, rHigh);
    let pHigh = madd(c6, squareHigh, madd(c5, rHigh, c4));
    pHigh = madd(pHigh, squareHigh, madd(c3, rHigh, c2));
    pHigh = madd(squareHigh, pHigh, f32x4.add(rHigh, one));
    // The whole number is in the low bits of what was rounded: shifted, it is an exponent.
    const scaledLow = f32x4.mul(pLow, i32x4.add(i32x4.shl(roundedLow, 23), one));
    const scaledHigh = f32x4.mul(pHigh, i32x4.add(i32x4.shl(roundedHigh, 23), one));
    v128.store(out, v128.andnot(scaledHigh, f32x4.lt(exponentHigh, smallest)), 16);
    v128.store(out, v128.andnot(scaledLow, f32x4.lt(exponentLow, smallest)));
    x += stride;
    out += stride;
  }
}

/** Natural logarithm of normal numbers > 0; of what is no number, none. */
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
  const none = f32x4.mul(x, f32x4.splat(0));
  return f32x4.add(madd(power, v128.load32_splat(EXP_RANGE, 8), f32x4.add(small, f)), none);
}

/** out = tanh x for pairs of vectors, by its odd polynomial near 0, so that small results keep their digits. */
export function hyperbolicTangents(out: usize, x: usize, pairs: i32): void {
  const bytes = usize(pairs) << 5;
  for (let at: usize = 0; at < bytes; at += 16) v128.store(out + at, f32x4.abs(v128.load(x + at)));
  const zero = f32x4.splat(0);
  exponentials(out, out, 32, pairs, f32x4.splat(2), zero, zero);
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

/** out = 1 / (1 + e^−x) for pairs of vectors. */
export function sigmoids(out: usize, x: usize, pairs: i32): void {
  const zero = f32x4.splat(0);
  exponentials(out, x, 32, pairs, f32x4.splat(-1), zero, zero);
  const one = f32x4.splat(1);
  const end = out + (usize(pairs) << 5);
  for (; out < end; out += 32) {
    const low = f32x4.add(one, v128.load(out));
    const high = f32x4.add(one, v128.load(out, 16));
    v128.store(out, f32x4.div(one, high), 16);
    v128.store(out, f32x4.div(one, low));
  }
}

/**
 * For pairs of vectors: out = x · Φ(x), and slope = Φ(x) + x · φ(x), its derivative. Φ, the share of the normal distribution
 * below x, is right to 1e-7: the tail beyond |x| is the bell e^(−x²/2) times a polynomial in t = 1 / (1 + 0.3 |x|).
 *
 * @param bells  room for as many numbers
 * @see Abramowitz and Stegun 26.2.17, for the form; the coefficients are a fit on |x| ≤ 7
 */
export function normalProducts(out: usize, slope: usize, x: usize, bells: usize, pairs: i32): void {
  const bytes = usize(pairs) << 5;
  for (let at: usize = 0; at < bytes; at += 32) {
    const low = v128.load(x + at);
    const high = v128.load(x + at, 16);
    v128.store(bells + at, f32x4.mul(high, high), 16);
    v128.store(bells + at, f32x4.mul(low, low));
  }
  const zero = v128.load32_splat(TAIL_SERIES, 32);
  exponentials(bells, bells, 32, pairs, f32x4.splat(-0.5), zero, zero);
  tails(out, x, bytes);
  const perRootTwoPi = v128.load32_splat(TAIL_SERIES, 36);
  const one = v128.load32_splat(EXP_SERIES, 20);
  for (let at: usize = 0; at < bytes; at += 32) {
    const low = v128.load(x + at);
    const high = v128.load(x + at, 16);
    const bellLow = v128.load(bells + at);
    const bellHigh = v128.load(bells + at, 16);
    const tailLow = f32x4.mul(v128.load(out + at), bellLow);
    const tailHigh = f32x4.mul(v128.load(out + at, 16), bellHigh);
    const shareLow = v128.bitselect(f32x4.sub(one, tailLow), tailLow, f32x4.lt(zero, low));
    const shareHigh = v128.bitselect(f32x4.sub(one, tailHigh), tailHigh, f32x4.lt(zero, high));
    v128.store(out + at, f32x4.mul(high, shareHigh), 16);
    v128.store(out + at, f32x4.mul(low, shareLow));
    v128.store(slope + at, madd(f32x4.mul(high, bellHigh), perRootTwoPi, shareHigh), 16);
    v128.store(slope + at, madd(f32x4.mul(low, bellLow), perRootTwoPi, shareLow));
  }
}

/** out = t times its polynomial, for pairs of vectors. */
function tails(out: usize, x: usize, bytes: usize): void {
  const c7 = v128.load32_splat(TAIL_SERIES);
  const c6 = v128.load32_splat(TAIL_SERIES, 4);
  const c5 = v128.load32_splat(TAIL_SERIES, 8);
  const c4 = v128.load32_splat(TAIL_SERIES, 12);
  const c3 = v128.load32_splat(TAIL_SERIES, 16);
  const c2 = v128.load32_splat(TAIL_SERIES, 20);
  const c1 = v128.load32_splat(TAIL_SERIES, 24);
  const nearness = v128.load32_splat(TAIL_SERIES, 28);
  const one = v128.load32_splat(EXP_SERIES, 20);
  for (let at: usize = 0; at < bytes; at += 32) {
    const tLow = f32x4.div(one, madd(f32x4.abs(v128.load(x + at)), nearness, one));
    const tHigh = f32x4.div(one, madd(f32x4.abs(v128.load(x + at, 16)), nearness, one));
    const squareLow = f32x4.mul(tLow, tLow);
    const squareHigh = f32x4.mul(tHigh, tHigh);
    let pLow = madd(c7, squareLow, madd(c6, tLow, c5));
    let pHigh = madd(c7, squareHigh, madd(c6, tHigh, c5));
    pLow = madd(pLow, squareLow, madd(c4, tLow, c3));
    pHigh = madd(pHigh, squareHigh, madd(c4, tHigh, c3));
    pLow = madd(pLow, squareLow, madd(c2, tLow, c1));
    pHigh = madd(pHigh, squareHigh, madd(c2, tHigh, c1));
    v128.store(out + at, f32x4.mul(pHigh, tHigh), 16);
    v128.store(out + at, f32x4.mul(pLow, tLow));
  }
}
