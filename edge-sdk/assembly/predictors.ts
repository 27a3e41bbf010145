import { clampTo, floorDivide, log2Quarters, ratioQ12, roundShift, saturate, truncateDivideSmall } from "./fixed-point";
import { entryAt, meanOf, nextEntry, pushHistory } from "./history";
import {
  CONFIG_OWN_LEVELS,
  expertsOf,
  extraBits,
  HOLD_EXCESS,
  hasStacked,
  historyOf,
  LOSSES,
  ROWS,
  slopeOf,
  widthOf,
} from "./layout";
import {
  addUp,
  DOT,
  ENERGY,
  KIND_LEVELS,
  KIND_STACKED,
  KIND_STEPS,
  LEVELS,
  learn,
  STACKED,
  STEPS,
  WEIGHT_FRACTION_BITS,
} from "./least-mean-squares";
import {
  gatherFeatures,
  keepMiss,
  resetStacked,
  STACKED_ENERGY,
  STACKED_GAIN_BITS,
  STACKED_RATE,
} from "./stacked-expert";

/**
 * Four to six experts foresee the next move of a channel, as entries of its history, relative to the newest entry y0:
 *
 *     0 hold     no move
 *     1 line     the last move again; of a wide history, its slope: a slow mean of its moves
 *     2 steps    NLMS over the channel's own moves and every other channel's newest move
 *     3 levels   NLMS over own and other channels' levels, each less its slow mean
 *     4 stacked  NLMS over 1 to 3 and the mix's last misses, where channels are few (stacked-expert.ts)
 *     5 curve    the parabola through three entries; of a wide history alone, 4 where nothing is stacked
 *
 * Their mix weighs each by the inverse eighth power of its recent loss; plain hold takes over where it has been cheaper.
 * What is worked out here lives in FORECASTS and the sums until the same channel has learned from the outcome; nothing of it is state.
 */
/** Behind them, the mix; nothing that outlives a row (device-memory.ts). */
export const FORECASTS = memory.data(28, 8); // 6 x i32, as entries
const MIXED = FORECASTS + 24; // i32

/** Forecasts and moves stay within this (Q8), twice what a history can hold; 2^29 of a wide one. */
const FORECAST_LIMIT: i32 = 1 << 17;
const FIRST_LOSS: u32 = 1 << 16; // one bin
const WIDE_LOSS_BITS: i32 = 4;
/** Added to every loss, so that no expert is ever certain. */
const LOSS_FLOOR: u32 = 64;
const LOSS_RATE: i64 = 51; // of 1024
/**
 * A zero in sparse bins says only that the prediction was within e: the reconstruction is the prediction itself, and who
 * learns from it learns its own opinion. Losses then move an eighth as fast and weights a quarter.
 */
const QUIET_LOSS_RATE: i64 = 6; // of 1024
const QUIET_RATE_BITS: i32 = 2;

/**
 * Learning rates over 2^10 for steps and 2^8 for levels, by how many bits that makes a quotient with QUOTIENT_BITS
 * a gain in Q32 of weights, and the energy that stands for "no signal" (Q40 squared bins D).
 */
const STEPS_RATE: i32 = 20;
const STEPS_GAIN_BITS: i64 = 5;
const STEPS_ENERGY: i64 = 1 << (15 + 24);
const LEVELS_RATE: i32 = 24;
const LEVELS_GAIN_BITS: i64 = 7;
const LEVELS_ENERGY: i64 = 1 << (16 + 24);
/** A gain is divided out to this many fraction bits: at 24 a loud signal's gain is a one-digit number. */
const QUOTIENT_BITS: i64 = 30;
/** A larger miss, of 2^6 history bins in a wide history, counts as this one in learning. */
const LARGEST_MISS: i32 = 1 << 26;
/** Rates start at twice the final ones; the excess halves every 2^8 rows. */
const HASTE_ROWS_BITS: u32 = 8;

/** Cold start of one channel's predictors; the block is zero already. */
export function resetPredictors(cfg: usize, channel: usize): void {
  const first = FIRST_LOSS << (WIDE_LOSS_BITS * widthOf(cfg));
  const count = expertsOf(cfg);
  if (hasStacked(cfg)) resetStacked(cfg, channel);
  for (let i = 0; i < count; i++) store<u32>(channel + ((<usize>i) << 2), first, LOSSES);
}

/** What a predictor's sums foresee. Range: within FORECAST_LIMIT after `offset` is added. */
function forecastOf(sums: usize, offset: i64, extra: i32): i32 {
  return clampTo(saturate(roundShift(load<i64>(sums, DOT), WEIGHT_FRACTION_BITS) + offset), FORECAST_LIMIT << extra);
}

/**
 * Weighted mean of the forecasts by the inverse eighth power of their losses. Rounded towards zero, that is to hold: to
 * nearest costs 5 % on quiet signals. Range: |sum| <= 6 x 2^12 x 2^29, 2^12 <= sum of weights <= 6 x 2^12.
 */
function mix(cfg: usize, channel: usize, experts: i32, historyShift: i32): i32 {
  const more = WIDE_LOSS_BITS * widthOf(cfg);
  const floor = (LOSS_FLOOR << more) >> min(historyShift, 6 + more); // as many bins D as without a shift
  let best: u32 = u32.MAX_VALUE;
  for (let i = 0; i < experts; i++) best = min(best, load<u32>(channel + ((<usize>i) << 2), LOSSES));
  let weightSum: u32 = 0;
  let sum: i64 = 0;
  for (let i = 0; i < experts; i++) {
    let weight = ratioQ12(best + floor, load<u32>(channel + ((<usize>i) << 2), LOSSES) + floor);
    weight = (weight * weight) >> 12;
    weight = (weight * weight) >> 12;
    weight = (weight * weight) >> 12;
    weightSum += weight;
    sum += <i64>weight * load<i32>(FORECASTS + ((<usize>i) << 2));
  }
  return <i32>truncateDivideSmall(sum, weightSum);
}

/**
 * The next move of the parabola through the newest entry, the one m before it and the one 2 m before it, 2 m being the
 * largest power of two that the history spans. Range: entries differ by up to 2^28 and m >= 4, so |move| < 2^28.
 */
function foreseeCurve(cfg: usize, history: usize, y0: i32): i32 {
  const bits = 30 - <i32>clz<u32>(<u32>load<u8>(cfg, CONFIG_OWN_LEVELS) - 1);
  const m = 1 << bits;
  const middle = entryAt(cfg, history, m);
  const late = y0 - middle;
  const early = middle - entryAt(cfg, history, 2 * m);
  return <i32>((((<i64>late) << (bits + 1)) + <i64>(late - early) * (m + 1)) >> (2 * bits + 1));
}

/**
 * Foresee a channel's next move.
 *
 * @param octaves  an entry counts in 2^octaves / 256 bins D: h, less what a wide history has beyond Q8
 * @returns the move as an entry, |move| <= 2^17, wide 2^29
 */
export function predictMove(cfg: usize, st: usize, channel: usize, octaves: i32): i32 {
  const history = historyOf(cfg, channel);
  const y0 = entryAt(cfg, history, 0);
  const extra = extraBits(cfg);
  // Energies are in history bins, their floors in bins D
  const down = <i64>(24 - 2 * extra + min<i32>(2 * (octaves + extra), 14 + extra));
  addUp(cfg, st, channel, KIND_STEPS, STEPS_ENERGY >> down);
  addUp(cfg, st, channel, KIND_LEVELS, LEVELS_ENERGY >> down);
  store<i32>(FORECASTS, 0);
  store<i32>(FORECASTS, extra ? load<i32>(slopeOf(cfg, channel)) : y0 - entryAt(cfg, history, 1), 4);
  store<i32>(FORECASTS, forecastOf(STEPS, 0, extra), 8);
  store<i32>(FORECASTS, forecastOf(LEVELS, <i64>meanOf(cfg, channel) - y0, extra), 12);
  if (hasStacked(cfg)) {
    gatherFeatures(cfg, channel, FORECASTS + 4);
    addUp(cfg, st, channel, KIND_STACKED, STACKED_ENERGY >> down);
    store<i32>(FORECASTS, forecastOf(STACKED, 0, extra), 16);
  }
  if (extra) store<i32>(FORECASTS + ((<usize>expertsOf(cfg) - 1) << 2), foreseeCurve(cfg, history, y0));
  const mixed = mix(cfg, channel, expertsOf(cfg), octaves + extra);
  store<i32>(MIXED, mixed);
  return load<i32>(channel, HOLD_EXCESS) <= 0 ? 0 : mixed;
}

/** Costs stop growing here: bins D, in bits. */
const LARGEST_COST_BITS: i32 = 21;

/**
 * What a miss would cost in 1/64 bit: 0.15 bit in bin 0, else 1.5 + 1.5 log2 of the bin D.
 *
 * @param miss  as an entry, |miss| < 2^18, wide 2^30
 * @param octaves  as in predictMove; two more count quarters of bins, in which a slow move shows
 */
function costOf(miss: i32, octaves: i32): i32 {
  const limit = 1 << LARGEST_COST_BITS;
  const coarse = max<i32>(octaves, 0);
  const size = min<i32>((miss < 0 ? -miss : miss) >> max<i32>(-octaves, 0), (limit << 8) >> coarse); // so that the shift stays within 2^29
  const bin = <u32>min<i32>(((size << coarse) + 128) >> 8, limit - 1);
  return bin == 0 ? 10 : 96 + log2Quarters(bin) * 24;
}

/**
 * Learn from the reconstruction that followed the last `predictMove` of this channel.
 *
 * @param move  what the reconstruction moved by, in sample units, |move| < 2^32
 * @param historyStep  D << h, at most 2^33
 * @param octaves  as in predictMove
 * @param isQuiet  the code was a zero in sparse bins
 */
export function learnMove(
  cfg: usize,
  st: usize,
  channel: usize,
  move: i64,
  historyStep: i64,
  octaves: i32,
  isQuiet: bool,
): void {
  const rows = <u32>load<u16>(st, ROWS);
  const y = nextEntry(cfg, channel, move, historyStep);
  const dy = y - entryAt(cfg, historyOf(cfg, channel), 0);
  const experts = expertsOf(cfg);
  const lossBits = 8 - 8 * widthOf(cfg);
  const lossRate = isQuiet ? QUIET_LOSS_RATE : LOSS_RATE;
  for (let i = 0; i < experts; i++) {
    const at = channel + ((<usize>i) << 2);
    const miss = dy - load<i32>(FORECASTS + ((<usize>i) << 2));
    const loss = load<i32>(at, LOSSES);
    const seen = (miss < 0 ? -miss : miss) << lossBits; // |miss| < 2^18, wide 2^30: losses and these stay below 2^26, wide 2^30
    store<i32>(at, loss + <i32>((<i64>(seen - loss) * lossRate) >> 10), LOSSES);
  }
  const excess = load<i32>(channel, HOLD_EXCESS);
  const fineness = octaves + 2 * widthOf(cfg);
  const more = costOf(dy, fineness) * 20 - costOf(dy - load<i32>(MIXED), fineness) * 19;
  store<i32>(channel, excess + more - (excess >> 6), HOLD_EXCESS);
  const haste = <i32>(rows >> HASTE_ROWS_BITS);
  const quiet = isQuiet ? QUIET_RATE_BITS : 0;
  setGain(STEPS, dy - load<i32>(FORECASTS, 8), (STEPS_RATE + (STEPS_RATE >> haste)) >> quiet, STEPS_GAIN_BITS);
  setGain(LEVELS, dy - load<i32>(FORECASTS, 12), (LEVELS_RATE + (LEVELS_RATE >> haste)) >> quiet, LEVELS_GAIN_BITS);
  learn(cfg, st, channel, false);
  if (hasStacked(cfg)) {
    setGain(STACKED, dy - load<i32>(FORECASTS, 16), STACKED_RATE >> quiet, STACKED_GAIN_BITS);
    learn(cfg, st, channel, true);
    keepMiss(cfg, channel, dy - load<i32>(MIXED));
  }
  pushHistory(cfg, channel, y, rows);
}

/** Let the history of a channel follow a reconstruction that nothing is learned from. @param historyStep  D << h */
export function followMove(cfg: usize, st: usize, channel: usize, move: i64, historyStep: i64): void {
  pushHistory(cfg, channel, nextEntry(cfg, channel, move, historyStep), <u32>load<u16>(st, ROWS));
}

/**
 * Turn sums into a gain: floor(rate x miss x 2^QUOTIENT_BITS / energy) x 2^bits. Range: |miss| <= 2^26, rate <= 48, so the
 * dividend is below 2^62. The energy is at least f squared and its floor F, together at least 2 |f| sqrt(F): of a wide history
 * F >= 2^14 with bits 7 and 2^13 with bits 5, so |gain f| < 2^61.
 */
function setGain(sums: usize, miss: i32, rate: i32, bits: i64): void {
  const seen = <i64>clampTo(miss, LARGEST_MISS) * rate;
  store<i64>(sums, floorDivide(seen << QUOTIENT_BITS, load<i64>(sums, ENERGY)) << bits, DOT);
}
