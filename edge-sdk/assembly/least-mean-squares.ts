import { nextDither } from "./adaptive-bit";
import { DITHER } from "./layout";

/**
 * One linear predictor with normalised least-mean-squares learning, over features that are never stored: they are read
 * off the histories twice, once to predict and once to learn. Two kinds of feature run over one history, newest first:
 *
 *     steps    f_k = y_k - y_(k+1)        levels   f_k = y_k - m
 *
 * Ranges, with |y| < 2^15 and -2^15 <= m < 2^15 (Q8): |f| <= 65535, so its product with a weight fits int32 and its square uint32; at
 * most 96 features, so the dot product stays below 2^38 and the energy below 2^39.
 *
 * @see B. Widrow and S. Stearns, "Adaptive Signal Processing", 1985, chapter 6 (LMS); dithered rounding is ours
 */
const WEIGHT_LIMIT: i64 = 32767;
/** Weights are Q2.13. */
export const WEIGHT_FRACTION_BITS: i32 = 13;
/** The gain of one update carries this many fraction bits: at 24 a loud signal's gain is a one-digit number. */
export const GAIN_FRACTION_BITS: i32 = 30;

// Working values of one predictor, from the prediction of a channel until it has learned the outcome.
/** Sum of weight x feature, or in learning the gain of the update. */
export const DOT: usize = 0; // i64
/** Sum of squared features. */
export const ENERGY: usize = 8; // i64
/** Bytes of both. */
export const SUMS_BYTES: usize = 16;

/** Begin the sums of one predictor; `energy` stands for "no signal", > 0. */
export function openSums(sums: usize, energy: i64): void {
  store<i64>(sums, 0, DOT);
  store<i64>(sums, energy, ENERGY);
}

/**
 * Add the products and squares of n features to `sums`.
 *
 * @param history  newest entry, i16; steps read n + 1 entries
 * @param mean  what levels are counted from
 */
export function dot(weights: usize, history: usize, n: i32, isSteps: bool, mean: i32, sums: usize): void {
  let product = load<i64>(sums, DOT);
  let energy = load<i64>(sums, ENERGY);
  for (const end = weights + ((<usize>n) << 1); weights < end; weights += 2) {
    const f = <i32>load<i16>(history) - (isSteps ? <i32>load<i16>(history, 2) : mean);
    product += <i64>(f * load<i16>(weights));
    energy += <i64>(<u32>(f * f));
    history += 2;
  }
  store<i64>(sums, product, DOT);
  store<i64>(sums, energy, ENERGY);
}

/**
 * Learn n features: each w moves by floor((gain f + noise) / 2^shift) and saturates; the noise is uniform in one unit of
 * the result. Range: |gain f| < 2^54 (the gain is below 2^54 and was divided by an energy of at least f squared), and
 * shift <= 27.
 */
export function learn(
  st: usize,
  weights: usize,
  history: usize,
  n: i32,
  isSteps: bool,
  mean: i32,
  gain: i64,
  shift: i64,
): void {
  let dither = load<u32>(st, DITHER);
  for (const end = weights + ((<usize>n) << 1); weights < end; weights += 2) {
    const f = <i32>load<i16>(history) - (isSteps ? <i32>load<i16>(history, 2) : mean);
    dither = nextDither(dither);
    const noise = ((<i64>(dither >> 8)) << shift) >> 24;
    const moved = <i64>load<i16>(weights) + ((gain * f + noise) >> shift);
    store<i16>(weights, <i16>min<i64>(max<i64>(moved, -WEIGHT_LIMIT), WEIGHT_LIMIT));
    history += 2;
  }
  store<u32>(st, dither, DITHER);
}
