/**
 * Transcendental functions on four floats, from additions, multiplications and divisions in a fixed order, so that the
 * strict module gives the same bits on every machine. Polynomials are minimax fits of the remainder on the reduced
 * range; errors are a few units in the last place, where not said otherwise.
 */
import { madd } from "./lanes";

const LOG2_E: f32 = 1.4426950408889634;
/** ln 2 in two parts: a multiple of the first by a whole number below 2^8 is exact. */
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.1219444e-4;
const EXP_LARGEST: f32 = 88.3;
/** Below this e^x is taken for 0: it would not be a normal number. */
const EXP_SMALLEST: f32 = -87.3;

/** e^x; 0 below -87.3, and no more than e^88.3. */
export function exponential(x: v128): v128 {
  const most = f32x4.min(x, f32x4.splat(EXP_LARGEST));
  const power = f32x4.nearest(f32x4.mul(most, f32x4.splat(LOG2_E)));
  const high = f32x4.sub(most, f32x4.mul(power, f32x4.splat(LN2_HIGH)));
  const r = f32x4.sub(high, f32x4.mul(power, f32x4.splat(LN2_LOW)));
  let p = madd(f32x4.splat(0.00138131444), r, f32x4.splat(0.00836941885));
  p = madd(p, r, f32x4.splat(0.0416684568));
  p = madd(p, r, f32x4.splat(0.166665148));
  p = madd(p, r, f32x4.splat(0.499999931));
  p = madd(f32x4.mul(r, r), p, f32x4.add(r, f32x4.splat(1)));
  const exponent = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(power), i32x4.splat(127)), 23);
  return v128.and(f32x4.mul(p, exponent), f32x4.ge(x, f32x4.splat(EXP_SMALLEST)));
}

/** Natural logarithm of normal numbers > 0. */
export function logarithm(x: v128): v128 {
  // Bits of √½ taken off, so that the fraction lies in [√½, √2).
  const shifted = i32x4.sub(x, i32x4.splat(0x3f3504f3));
  const power = f32x4.convert_i32x4_s(i32x4.shr_s(shifted, 23));
  const fraction = i32x4.add(v128.and(shifted, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const f = f32x4.sub(fraction, f32x4.splat(1));
  let p = madd(f32x4.splat(-0.0785961151), f, f32x4.splat(0.128816475));
  p = madd(p, f, f32x4.splat(-0.131287548));
  p = madd(p, f, f32x4.splat(0.141811919));
  p = madd(p, f, f32x4.splat(-0.16624554));
  p = madd(p, f, f32x4.splat(0.200022863));
  p = madd(p, f, f32x4.splat(-0.250008104));
  p = madd(p, f, f32x4.splat(0.333333167));
  const square = f32x4.mul(f, f);
  let small = f32x4.mul(f32x4.mul(square, f), p);
  small = madd(power, f32x4.splat(LN2_LOW), small);
  small = madd(square, f32x4.splat(-0.5), small);
  return madd(power, f32x4.splat(LN2_HIGH), f32x4.add(small, f));
}

/** tanh x, by its odd polynomial near 0, so that small results keep their digits. */
export function hyperbolicTangent(x: v128): v128 {
  const size = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = madd(f32x4.splat(-0.00571704451), z, f32x4.splat(0.0206505868));
  p = madd(p, z, f32x4.splat(-0.0537434979));
  p = madd(p, z, f32x4.splat(0.133314913));
  p = madd(p, z, f32x4.splat(-0.333332839));
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
  const t = f32x4.div(f32x4.splat(1), madd(f32x4.abs(x), f32x4.splat(0.3), f32x4.splat(1)));
  let p = madd(f32x4.splat(0.0388707365), t, f32x4.splat(-0.25193358));
  p = madd(p, t, f32x4.splat(0.536862066));
  p = madd(p, t, f32x4.splat(-0.324591397));
  p = madd(p, t, f32x4.splat(0.307013954));
  p = madd(p, t, f32x4.splat(0.0685484786));
  p = madd(p, t, f32x4.splat(0.125229739));
  const tail = f32x4.mul(f32x4.mul(p, t), bellOfX);
  return v128.bitselect(f32x4.sub(f32x4.splat(1), tail), tail, f32x4.gt(x, f32x4.splat(0)));
}
