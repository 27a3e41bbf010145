import { clampTo, floorDivide, log2Quarters, ratioQ12, roundShift, truncateDivideSmall } from "./fixed-point";
import {
  CONFIG_CHANNELS,
  CONFIG_CROSS_LEVELS,
  CONFIG_LEVEL_WEIGHTS,
  CONFIG_OWN_LEVELS,
  CONFIG_OWN_STEPS,
  COSTS,
  channelState,
  HISTORY,
  LOSSES,
  MEAN,
} from "./layout";
import {
  DOT,
  dotLevels,
  dotSteps,
  ENERGY,
  GAIN_FRACTION_BITS,
  learnLevels,
  learnSteps,
  SUMS_BYTES,
  WEIGHT_FRACTION_BITS,
} from "./least-mean-squares";

/**
 * Four experts foresee the next move of a channel in history bins (Q8, relative to the newest entry y0):
 *
 *     0 hold     no move
 *     1 line     the last move again
 *     2 steps    NLMS over the channel's own moves and every other channel's newest move
 *     3 levels   NLMS over own and other channels' levels, each less its slow mean
 *
 * Their mix weighs each by the inverse eighth power of its recent loss; plain hold takes over where it has been cheaper.
 * What is worked out here lives in WORK until the same channel has learned from the outcome; nothing of it is state.
 */
const WORK = memory.data(56, 8);
const STEPS = WORK; // sums of the steps
const LEVELS = WORK + SUMS_BYTES; // sums of the levels
const FORECASTS = WORK + 2 * SUMS_BYTES; // 4 x i32, Q8 history bins
const MIXED = WORK + 2 * SUMS_BYTES + 16; // i32

const EXPERTS: i32 = 4;
/** Forecasts and moves stay within this (Q8), so that products with a history bin of 2^33 fit 64 bits. */
const FORECAST_LIMIT: i64 = 1 << 28;
/** Histories saturate here (Q8): 2^19 bins, twice the largest range a host may choose. */
const HISTORY_LIMIT: i64 = 1 << 27;
/**
 * The mean keeps this many bits below Q8 and saturates at int32, that is 2^15 bins from the base, the widest history
 * that a host chooses. Its steps are rounded down, so it lies low by as much as the rate drops: with fewer bits the
 * levels foresee a steady tone worse (`npm run bench -- wire`, payload).
 */
const MEAN_FRACTION_BITS: i32 = 8;
const MEAN_RATE_BITS: i32 = 10;

const FIRST_LOSS: u32 = 1 << 16; // one bin
/** Added to every loss, so that no expert is ever certain. */
const LOSS_FLOOR: u32 = 64;
const LOSS_CLIP: i64 = (1 << 23) - 1; // Q8: 2^15 bins; Q16 losses stay below 2^31
/** Losses are cut by a bit for every 4 of the history shift, so that they can tell experts apart over all of int32. */
const LOSS_SHIFT_BITS: i64 = 2;
const LOSS_RATE: i64 = 51; // of 1024

/** Learning rates over 2^shift, and the energy that stands for "no signal" (Q16 squared bins). */
const STEPS_RATE: i64 = 5;
const STEPS_SHIFT: i64 = GAIN_FRACTION_BITS + 8 - WEIGHT_FRACTION_BITS;
const STEPS_ENERGY: i64 = 1 << 15;
const LEVELS_RATE: i64 = 6;
const LEVELS_SHIFT: i64 = GAIN_FRACTION_BITS + 6 - WEIGHT_FRACTION_BITS;
const LEVELS_ENERGY: i64 = 1 << 16;

/** Cold start of one channel's predictors; the block is zero already. */
export function resetPredictors(channel: usize): void {
  for (let i = 0; i < EXPERTS; i++) store<u32>(channel + ((<usize>i) << 2), FIRST_LOSS, LOSSES);
}

/** Slow mean of a channel in Q8 bins. Range: |m| <= 2^23. */
export function meanOf(channel: usize): i64 {
  return <i64>(load<i32>(channel, MEAN) >> MEAN_FRACTION_BITS);
}

/**
 * Run both NLMS predictors of a channel over the histories of all channels in order: its own gives A steps and B levels,
 * every other one its newest step and X levels as far as the weights reach. Predicting adds up their sums; learning
 * moves their weights by the gains found there.
 */
function sweep(cfg: usize, st: usize, channel: usize, isLearning: bool): void {
  const channels = <i32>load<u8>(cfg, CONFIG_CHANNELS);
  const ownSteps = <i32>load<u8>(cfg, CONFIG_OWN_STEPS);
  const ownLevels = <i32>load<u8>(cfg, CONFIG_OWN_LEVELS);
  let left = <i32>load<u8>(cfg, CONFIG_LEVEL_WEIGHTS) - ownLevels;
  let stepWeights = channel + HISTORY + ((<usize>ownLevels) << 2);
  let levelWeights = stepWeights + ((<usize>(ownSteps + channels - 1)) << 1);
  for (let c = 0; c < channels; c++) {
    const other = channelState(cfg, st, c);
    const history = other + HISTORY;
    const mean = meanOf(other);
    let steps = ownSteps;
    let levels = ownLevels;
    if (other != channel) {
      steps = 1;
      levels = min(<i32>load<u8>(cfg, CONFIG_CROSS_LEVELS), left);
      left -= levels;
    }
    if (isLearning) {
      learnSteps(st, stepWeights, history, steps, load<i64>(STEPS, DOT), STEPS_SHIFT);
      learnLevels(st, levelWeights, history, levels, mean, load<i64>(LEVELS, DOT), LEVELS_SHIFT);
    } else {
      dotSteps(stepWeights, history, steps, STEPS);
      dotLevels(levelWeights, history, levels, mean, LEVELS);
    }
    stepWeights += (<usize>steps) << 1;
    levelWeights += (<usize>levels) << 1;
  }
}

/** What a predictor's sums foresee. Range: within FORECAST_LIMIT after `offset` is added. */
function forecastOf(sums: usize, offset: i64): i32 {
  return <i32>clampTo(roundShift(load<i64>(sums, DOT), WEIGHT_FRACTION_BITS) + offset, FORECAST_LIMIT);
}

/**
 * Weighted mean of the forecasts by the inverse eighth power of their losses. Rounded towards zero, that is to hold: to
 * nearest costs 5 % on quiet signals. Range: |sum| <= 4 x 2^12 x 2^28, 2^12 <= sum of weights <= 2^14.
 */
function mix(channel: usize): i32 {
  let best: u32 = u32.MAX_VALUE;
  for (let i = 0; i < EXPERTS; i++) best = min(best, load<u32>(channel + ((<usize>i) << 2), LOSSES));
  let weightSum: u32 = 0;
  let sum: i64 = 0;
  for (let i = 0; i < EXPERTS; i++) {
    let weight = ratioQ12(best + LOSS_FLOOR, load<u32>(channel + ((<usize>i) << 2), LOSSES) + LOSS_FLOOR);
    weight = (weight * weight) >> 12;
    weight = (weight * weight) >> 12;
    weight = (weight * weight) >> 12;
    weightSum += weight;
    sum += <i64>weight * load<i32>(FORECASTS + ((<usize>i) << 2));
  }
  return <i32>truncateDivideSmall(sum, weightSum);
}

/**
 * Foresee a channel's next move.
 *
 * @returns the move in history bins, Q8, |move| <= 2^28
 */
export function predictMove(cfg: usize, st: usize, channel: usize): i32 {
  const y0 = load<i32>(channel, HISTORY);
  store<i64>(STEPS, 0, DOT);
  store<i64>(STEPS, STEPS_ENERGY, ENERGY);
  store<i64>(LEVELS, 0, DOT);
  store<i64>(LEVELS, LEVELS_ENERGY, ENERGY);
  sweep(cfg, st, channel, false);
  store<i32>(FORECASTS, 0);
  store<i32>(FORECASTS, y0 - load<i32>(channel, HISTORY + 4), 4);
  store<i32>(FORECASTS, forecastOf(STEPS, 0), 8);
  store<i32>(FORECASTS, forecastOf(LEVELS, meanOf(channel) - y0), 12);
  const mixed = mix(channel);
  store<i32>(MIXED, mixed);
  const isHoldCheaper = load<u32>(channel, COSTS) * 20 <= load<u32>(channel, COSTS + 4) * 19;
  return isHoldCheaper ? 0 : mixed;
}

/** What a miss would cost in 1/64 bit: 0.15 bit in bin 0, else 1.5 + 1.5 log2 of the bin. */
function costOf(miss: i64): u32 {
  const bin = <u32>(((miss < 0 ? -miss : miss) + 128) >> 8);
  return bin == 0 ? 10 : 96 + <u32>log2Quarters(bin) * 24;
}

function learnCost(at: usize, cost: u32): void {
  const old = load<u32>(at);
  store<u32>(at, old + cost - (old >> 6));
}

/**
 * Learn from the reconstruction that followed the last `predictMove` of this channel.
 *
 * @param move  what the reconstruction moved by, in sample units, |move| < 2^32
 * @param step  bin width D
 * @param historyShift  h; the history bin D << h is at most 2^33
 */
export function learnMove(cfg: usize, st: usize, channel: usize, move: i64, step: i64, historyShift: i64): void {
  const historyStep = step << historyShift;
  const y0 = <i64>load<i32>(channel, HISTORY);
  const y = clampTo(y0 + floorDivide(move * 256 + (historyStep >> 1), historyStep), HISTORY_LIMIT);
  const dy = y - y0;
  for (let i = 0; i < EXPERTS; i++) {
    const at = channel + ((<usize>i) << 2);
    const miss = dy - load<i32>(FORECASTS + ((<usize>i) << 2));
    const loss = <i64>load<u32>(at, LOSSES);
    const seen = min<i64>((miss < 0 ? -miss : miss) >> (historyShift >> LOSS_SHIFT_BITS), LOSS_CLIP) << 8;
    store<u32>(at, <u32>(loss + (((seen - loss) * LOSS_RATE) >> 10)), LOSSES);
  }
  learnCost(channel + COSTS, costOf(dy));
  learnCost(channel + COSTS + 4, costOf(dy - load<i32>(MIXED)));
  setGain(STEPS, dy - load<i32>(FORECASTS, 8), STEPS_RATE);
  setGain(LEVELS, dy - load<i32>(FORECASTS, 12), LEVELS_RATE);
  sweep(cfg, st, channel, true);
  pushHistory(cfg, channel, <i32>y);
}

/** Turn sums into a gain: rate x miss / energy, Q30. Range: |miss| <= 2^29, so the dividend stays below 2^62. */
function setGain(sums: usize, miss: i64, rate: i64): void {
  store<i64>(sums, floorDivide((miss * rate) << GAIN_FRACTION_BITS, load<i64>(sums, ENERGY)), DOT);
}

/** Shift a new entry into the history and let the slow mean follow it. */
function pushHistory(cfg: usize, channel: usize, y: i32): void {
  const history = channel + HISTORY;
  for (let k = <usize>load<u8>(cfg, CONFIG_OWN_LEVELS) - 1; k > 0; k--) {
    const at = history + (k << 2);
    store<i32>(at, load<i32>(at - 4));
  }
  store<i32>(history, y);
  const mean = <i64>load<i32>(channel, MEAN);
  const target = (<i64>y) << MEAN_FRACTION_BITS;
  store<i32>(channel, <i32>clampTo(mean + ((target - mean) >> MEAN_RATE_BITS), i32.MAX_VALUE), MEAN);
}
