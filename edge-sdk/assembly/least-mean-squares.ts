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
  coderOf,
  DITHER,
  entryShift,
  historyOf,
  stackedWeightsOf,
  widthOf,
} from "./layout";

/**
 * Linear predictors with normalised least-mean-squares learning, over features that are never stored: they are read off
 * the histories twice, once to predict and once to learn. Two kinds of feature run over one history, newest first:
 *
 *     steps    f_k = y_k - y_(k+1)        levels   f_k = y_k - m
 *
 * Ranges, with |y| < 2^27 and -2^27 <= m < 2^27 (Q20, wide): |f| < 2^28; at most 96 features, so the dot product stays below
 * 2^50 and the energy below 2^63. There is a loop for each width of the entries, because choosing in the loop would cost a
 * small core an eighth of all its time.
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
export const SUMS_BYTES: usize = 16;
/** Sums of the steps, the levels and the stacked expert (stacked-expert.ts). */
export const STEPS = memory.data(3 * <i32>SUMS_BYTES, 8);
export const LEVELS = STEPS + SUMS_BYTES;
export const STACKED = LEVELS + SUMS_BYTES;

/** Features of the stacked expert, as entries of a history; one more is read and not used. */
export const FEATURES = memory.data(32, 8);
export const FEATURES_COUNT: i32 = 7;

/** The predictors of a channel. */
export const KIND_STEPS: i32 = 0;
export const KIND_LEVELS: i32 = 1;
export const KIND_STACKED: i32 = 2;

/**
 * Add up products and squares of one predictor of a channel. `energy` stands for "no signal", > 0.
 *
 * Its own history gives A steps and B levels, every other channel's its newest step and X levels as far as the weights
 * reach; the stacked expert has FEATURES instead.
 */
export function addUp(cfg: usize, st: usize, channel: usize, kind: i32, energy: i64): void {
  const stride = <usize>load<u16>(cfg, CONFIG_STRIDE);
  const ownLevels = <i32>load<u8>(cfg, CONFIG_OWN_LEVELS);
  const wide = widthOf(cfg) != 0;
  let left = <i32>load<u8>(cfg, CONFIG_LEVEL_WEIGHTS) - ownLevels;
  let weights = historyOf(cfg, channel) + ((<usize>ownLevels) << entryShift(cfg));
  if (kind != KIND_STEPS) {
    weights += (<usize>(<i32>load<u8>(cfg, CONFIG_OWN_STEPS) + <i32>load<u8>(cfg, CONFIG_CHANNELS) - 1)) << 1;
  }
  let dot: i64 = 0;
  let other = channelState(cfg, st, 0);
  for (const end = coderOf(cfg, st); other < end; other += stride) {
    let at = historyOf(cfg, other);
    let mean = 0;
    let mask = -1; // of the entry after, which steps are counted from
    let count = 1;
    if (kind == KIND_STEPS) {
      if (other == channel) count = <i32>load<u8>(cfg, CONFIG_OWN_STEPS);
    } else {
      mask = 0;
      count = ownLevels;
      mean = meanOf(cfg, other);
      if (other != channel) {
        count = min(<i32>load<u8>(cfg, CONFIG_CROSS_LEVELS), left);
        left -= count;
      }
      if (kind == KIND_STACKED) {
        at = FEATURES;
        mean = 0;
        count = FEATURES_COUNT;
        weights = stackedWeightsOf(cfg, channel);
        other = end;
      }
    }
    const last = weights + ((<usize>count) << 1);
    if (wide) {
      let entry = load<i32>(at);
      for (; weights != last; weights += 2) {
        at += 4;
        const next = load<i32>(at);
        const f = <i64>(entry - mean - (next & mask));
        entry = next;
        dot += f * load<i16>(weights);
        energy += f * f;
      }
    } else {
      let entry = <i32>load<i16>(at);
      for (; weights != last; weights += 2) {
        at += 2;
        const next = <i32>load<i16>(at);
        const f = <i64>(entry - mean - (next & mask));
        entry = next;
        dot += f * load<i16>(weights);
        energy += f * f;
      }
    }
  }
  store<i64>(STEPS + ((<usize>kind) << 4), dot, DOT);
  store<i64>(STEPS + ((<usize>kind) << 4), energy, ENERGY);
}

/**
 * Let both predictors of a channel learn, or its stacked expert, by the gains that stand in the place of the dot products:
 * each weight moves by floor((gain f + noise) / 2^32) and saturates, with noise uniform in 24 bits.
 *
 * One loop serves both kinds of feature and all channels, because calls would cost a small core more than the taps do.
 * Range: |gain f| < 2^61 (setGain), so the move of a weight is below 2^29.
 */
export function learn(cfg: usize, st: usize, channel: usize, isStacked: bool): void {
  const stride = <usize>load<u16>(cfg, CONFIG_STRIDE);
  const ownLevels = <i32>load<u8>(cfg, CONFIG_OWN_LEVELS);
  const wide = widthOf(cfg) != 0;
  let left = <i32>load<u8>(cfg, CONFIG_LEVEL_WEIGHTS) - ownLevels;
  let stepWeights = historyOf(cfg, channel) + ((<usize>ownLevels) << entryShift(cfg));
  let levelWeights =
    stepWeights + ((<usize>(<i32>load<u8>(cfg, CONFIG_OWN_STEPS) + <i32>load<u8>(cfg, CONFIG_CHANNELS) - 1)) << 1);
  let dither = load<u32>(st, DITHER);
  let other = channelState(cfg, st, 0);
  for (const end = coderOf(cfg, st); other < end; other += stride) {
    const first = historyOf(cfg, other);
    let count = 1;
    let levels = ownLevels;
    if (other == channel) count = <i32>load<u8>(cfg, CONFIG_OWN_STEPS);
    else {
      levels = min(<i32>load<u8>(cfg, CONFIG_CROSS_LEVELS), left);
      left -= levels;
    }
    let mean = 0;
    let mask = -1;
    let at = first;
    let weights = stepWeights;
    let gain = load<i64>(STEPS, DOT);
    if (isStacked) {
      mask = 0;
      at = FEATURES;
      count = FEATURES_COUNT;
      weights = stackedWeightsOf(cfg, channel);
      gain = load<i64>(STACKED, DOT);
      other = end;
    }
    for (;;) {
      const last = weights + ((<usize>count) << 1);
      if (wide) {
        let entry = load<i32>(at);
        for (; weights != last; weights += 2) {
          at += 4;
          const next = load<i32>(at);
          const f = entry - mean - (next & mask);
          entry = next;
          dither = nextDither(dither);
          let moved = <i32>load<i16>(weights) + <i32>((gain * f + <i64>(dither & NOISE_MASK)) >> 32);
          if (<u32>(moved + WEIGHT_LIMIT) > <u32>(2 * WEIGHT_LIMIT)) moved = moved < 0 ? -WEIGHT_LIMIT : WEIGHT_LIMIT;
          store<i16>(weights, <i16>moved);
        }
      } else {
        let entry = <i32>load<i16>(at);
        for (; weights != last; weights += 2) {
          at += 2;
          const next = <i32>load<i16>(at);
          const f = entry - mean - (next & mask);
          entry = next;
          dither = nextDither(dither);
          let moved = <i32>load<i16>(weights) + <i32>((gain * f + <i64>(dither & NOISE_MASK)) >> 32);
          if (<u32>(moved + WEIGHT_LIMIT) > <u32>(2 * WEIGHT_LIMIT)) moved = moved < 0 ? -WEIGHT_LIMIT : WEIGHT_LIMIT;
          store<i16>(weights, <i16>moved);
        }
      }
      if (mask == 0) break;
      stepWeights = weights;
      weights = levelWeights;
      levelWeights += (<usize>levels) << 1;
      count = levels;
      mean = meanOf(cfg, other);
      mask = 0;
      at = first;
      gain = load<i64>(LEVELS, DOT);
    }
  }
  store<u32>(st, dither, DITHER);
}
