import { nextDither } from "./adaptive-bit";

/**
 * One linear predictor with normalised least-mean-squares learning, over features that are never stored: they are read
 * off the histories twice, once to predict and once to learn. Two kinds of feature run over one history, newest first:
 *
 *     steps    f_k = y_k - y_(k+1)        levels   f_k = y_k - m
 *
 * Ranges, with |y| <= 2^27 and |m| <= 2^25 (Q8): |f| <= 2^28; at most 96 features, so the dot product with 16-bit
 * weights stays below 2^50 and the energy below 2^63.
 *
 * @see B. Widrow and S. Stearns, "Adaptive Signal Processing", 1985, chapter 6 (LMS); dithered rounding is ours
 */
const WEIGHT_LIMIT: i64 = 32767;
/** Weights are Q2.13. */
export const WEIGHT_FRACTION_BITS: i32 = 13;
/** The gain of one update carries this many fraction bits: at 24 a loud signal's gain is a one-digit number. */
export const GAIN_FRACTION_BITS: i32 = 30;

/** Where a predictor's energy is summed between prediction and learning. */
export type EnergyAddress = usize;

/** Dot product over n steps; their energy is added at `energyAt`. */
export function dotSteps(weights: usize, history: usize, n: i32, energyAt: EnergyAddress): i64 {
  let sum: i64 = 0;
  let energy = load<i64>(energyAt);
  let newer = <i64>load<i32>(history);
  for (let k = 0; k < n; k++) {
    history += 4;
    const older = <i64>load<i32>(history);
    const f = newer - older;
    sum += f * load<i16>(weights + ((<usize>k) << 1));
    energy += f * f;
    newer = older;
  }
  store<i64>(energyAt, energy);
  return sum;
}

/** Dot product over n levels against a mean; their energy is added at `energyAt`. */
export function dotLevels(weights: usize, history: usize, n: i32, mean: i64, energyAt: EnergyAddress): i64 {
  let sum: i64 = 0;
  let energy = load<i64>(energyAt);
  for (let k = 0; k < n; k++) {
    const f = load<i32>(history + ((<usize>k) << 2)) - mean;
    sum += f * load<i16>(weights + ((<usize>k) << 1));
    energy += f * f;
  }
  store<i64>(energyAt, energy);
  return sum;
}

/**
 * Learn n steps: each w moves by floor((gain f + noise) / 2^shift) and saturates; the noise is uniform in one unit of
 * the result. Range: |gain f| < 2^54 (the gain was divided by an energy of f squared and at least 2^15), shift <= 25.
 *
 * @returns the advanced dither
 */
export function learnSteps(weights: usize, history: usize, n: i32, gain: i64, shift: i64, dither: u32): u32 {
  const end = weights + ((<usize>n) << 1);
  let newer = <i64>load<i32>(history);
  while (weights < end) {
    history += 4;
    const older = <i64>load<i32>(history);
    dither = nextDither(dither);
    const noise = ((<i64>(dither >> 8)) << shift) >> 24;
    const moved = <i64>load<i16>(weights) + ((gain * (newer - older) + noise) >> shift);
    store<i16>(weights, <i16>min<i64>(max<i64>(moved, -WEIGHT_LIMIT), WEIGHT_LIMIT));
    newer = older;
    weights += 2;
  }
  return dither;
}

/** Learn n levels, in the same way. @returns the advanced dither */
export function learnLevels(
  weights: usize,
  history: usize,
  n: i32,
  mean: i64,
  gain: i64,
  shift: i64,
  dither: u32,
): u32 {
  const end = weights + ((<usize>n) << 1);
  while (weights < end) {
    dither = nextDither(dither);
    const noise = ((<i64>(dither >> 8)) << shift) >> 24;
    const moved = <i64>load<i16>(weights) + ((gain * (load<i32>(history) - mean) + noise) >> shift);
    store<i16>(weights, <i16>min<i64>(max<i64>(moved, -WEIGHT_LIMIT), WEIGHT_LIMIT));
    history += 4;
    weights += 2;
  }
  return dither;
}
