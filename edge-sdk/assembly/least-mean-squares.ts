import { nextDither } from "./adaptive-bit";
import { meanOf } from "./history";
import {
  CONFIG_CHANNELS,
  CONFIG_CROSS_LEVELS,
  CONFIG_LEVEL_WEIGHTS,
  CONFIG_OWN_LEVELS,
  CONFIG_OWN_STEPS,
  CONFIG_STRIDE,
  channelState,
  DITHER,
  historyOf,
  STACKED_WEIGHTS,
} from "./layout";

/**
 * Linear predictors with normalised least-mean-squares learning, over features that are never stored: they are read off
 * the histories twice, once to predict and once to learn. Two kinds of feature run over one history, newest first:
 *
 *     steps    f_k = y_k - y_(k+1)        levels   f_k = y_k - m
 *
 * Ranges, with |y| < 2^15 and -2^15 <= m < 2^15 (Q8): |f| <= 65535, so its product with a weight fits int32 and its square uint32; at
 * most 96 features, so the dot product stays below 2^38 and the energy below 2^39.
 *
 * @see B. Widrow and S. Stearns, "Adaptive Signal Processing", 1985, chapter 6 (LMS); dithered rounding is ours
 */
const WEIGHT_LIMIT: i32 = 32767;
/** Weights are Q2.13. */
export const WEIGHT_FRACTION_BITS: i32 = 13;
/** An update is the upper half of gain x feature: gains are Q32 of weights, times feature. */
const NOISE_MASK: u32 = 0xffffff00;

// Working values of one predictor, from the prediction of a channel until it has learned the outcome.
/** Sum of weight x feature, or in learning the gain of the update. */
export const DOT: usize = 0; // i64
/** Sum of squared features. */
export const ENERGY: usize = 8; // i64
const SUMS_BYTES: usize = 16;
/** Sums of the steps, the levels and the stacked expert (stacked-expert.ts). */
export const STEPS = memory.data(3 * <i32>SUMS_BYTES, 8);
export const LEVELS = STEPS + SUMS_BYTES;
export const STACKED = LEVELS + SUMS_BYTES;

/** Features of the stacked expert, Q8 history bins, i16; one more is read and not used. */
export const FEATURES = memory.data(16, 8);
export const FEATURES_COUNT: i32 = 7;

/** Begin the sums of one predictor; `energy` stands for "no signal", > 0. */
export function openSums(sums: usize, energy: i64): void {
  store<i64>(sums, 0, DOT);
  store<i64>(sums, energy, ENERGY);
}

/**
 * Run the NLMS predictors of a channel over the histories of all channels in order: its own gives A steps and B levels,
 * every other one its newest step and X levels as far as the weights reach. Predicting adds up products and squares;
 * learning moves each weight by floor((gain f + noise) / 2^32) and saturates, with noise uniform in 24 bits.
 *
 * One loop serves both kinds of feature and all channels, because calls would cost a small core more than the taps do.
 * Range of learning: |gain f| < 2^61 (setGain), so the move of a weight is below 2^30.
 *
 * @param isStacked  run the stacked expert instead, whose levels are FEATURES
 */
export function sweep(cfg: usize, st: usize, channel: usize, isStacked: bool, isLearning: bool): void {
  const channels = <i32>load<u8>(cfg, CONFIG_CHANNELS);
  const stride = <usize>load<u16>(cfg, CONFIG_STRIDE);
  const ownLevels = <i32>load<u8>(cfg, CONFIG_OWN_LEVELS);
  let left = <i32>load<u8>(cfg, CONFIG_LEVEL_WEIGHTS) - ownLevels;
  let stepWeights = historyOf(cfg, channel) + ((<usize>ownLevels) << 1);
  let levelWeights = stepWeights + ((<usize>(<i32>load<u8>(cfg, CONFIG_OWN_STEPS) + channels - 1)) << 1);
  let dither = load<u32>(st, DITHER);
  let other = channelState(cfg, st, 0);
  const last = isStacked ? other : channelState(cfg, st, channels - 1);
  for (; other <= last; other += stride) {
    let count = 1;
    let levels = min(<i32>load<u8>(cfg, CONFIG_CROSS_LEVELS), left);
    if (other == channel) {
      count = <i32>load<u8>(cfg, CONFIG_OWN_STEPS);
      levels = ownLevels;
    } else left -= levels;
    let mean = 0;
    let mask = -1; // of the entry after, which steps are counted from
    let weights = stepWeights;
    let sums = STEPS;
    let first = historyOf(cfg, other);
    if (isStacked) {
      count = FEATURES_COUNT;
      mask = 0;
      weights = channel + STACKED_WEIGHTS;
      sums = STACKED;
      first = FEATURES;
    }
    for (;;) {
      const end = weights + ((<usize>count) << 1);
      let at = first;
      let entry = <i32>load<i16>(at);
      let dot = load<i64>(sums, DOT);
      if (isLearning) {
        for (; weights != end; weights += 2) {
          at += 2;
          const next = <i32>load<i16>(at);
          const f = entry - mean - (next & mask);
          entry = next;
          dither = nextDither(dither);
          const move = <i32>((dot * f + <i64>(dither & NOISE_MASK)) >> 32);
          const moved = <i32>load<i16>(weights) + move;
          store<i16>(weights, <i16>min<i32>(max<i32>(moved, -WEIGHT_LIMIT), WEIGHT_LIMIT));
        }
      } else {
        let energy = load<i64>(sums, ENERGY);
        for (; weights != end; weights += 2) {
          at += 2;
          const next = <i32>load<i16>(at);
          const f = <i64>(entry - mean - (next & mask));
          entry = next;
          dot += f * load<i16>(weights);
          energy += f * f;
        }
        store<i64>(sums, dot, DOT);
        store<i64>(sums, energy, ENERGY);
      }
      if (mask == 0) break;
      stepWeights = weights;
      weights = levelWeights;
      levelWeights += (<usize>levels) << 1;
      count = levels;
      mean = meanOf(other);
      mask = 0;
      sums = LEVELS;
    }
  }
  store<u32>(st, dither, DITHER);
}
