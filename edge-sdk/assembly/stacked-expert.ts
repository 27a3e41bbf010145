import { clampTo } from "./fixed-point";
import { HISTORY_LIMIT } from "./history";
import { STACKED_MISSES, STACKED_WEIGHTS } from "./layout";
import { DOT, dot, GAIN_FRACTION_BITS, learn, openSums, SUMS_BYTES, WEIGHT_FRACTION_BITS } from "./least-mean-squares";

/**
 * The fifth expert, where channels are few enough to pay for it: an NLMS over what the line, the steps and the levels
 * foresee and over the mix's last four misses. It finds what the others have in common to be wrong.
 *
 * @see D. Wolpert, "Stacked generalization", 1992
 */
const FORECASTS_USED: i32 = 3;
const MISSES: i32 = 4;
const FEATURES_COUNT: i32 = FORECASTS_USED + MISSES;
/** Q8 history bins, i16; from the prediction until it has learned, like the sums. */
const FEATURES = memory.data(16, 8);
/** Sums of the stacked expert. */
export const STACKED = memory.data(<i32>SUMS_BYTES, 8);

/** Learning rate over 2^shift, and the energy that stands for "no signal", as in predictors.ts. */
export const STACKED_RATE: i64 = 8;
const STACKED_SHIFT: i64 = GAIN_FRACTION_BITS + 10 - WEIGHT_FRACTION_BITS;
const STACKED_ENERGY: i64 = 1 << 16;

/** Cold start: the mean of steps and levels; the block is zero already. */
export function resetStacked(channel: usize): void {
  const half: u32 = (1 << WEIGHT_FRACTION_BITS) >> 1;
  store<u32>(channel, half | (half << 16), STACKED_WEIGHTS + 2);
}

/** Add up the stacked expert's sums. `forecasts` are i32, Q8: those of the line, the steps and the levels. */
export function dotStacked(channel: usize, forecasts: usize, energyShift: i64): void {
  for (let i = 0; i < FORECASTS_USED; i++) {
    const forecast = clampTo(<i64>load<i32>(forecasts + ((<usize>i) << 2)), HISTORY_LIMIT);
    store<i16>(FEATURES + ((<usize>i) << 1), <i16>forecast);
  }
  store<u64>(FEATURES + (FORECASTS_USED << 1), load<u64>(channel, STACKED_MISSES));
  openSums(STACKED, STACKED_ENERGY >> energyShift);
  dot(channel + STACKED_WEIGHTS, FEATURES, FEATURES_COUNT, false, 0, STACKED);
}

/** Learn by the gain in the sums, and remember what the mix missed by (Q8 history bins). */
export function learnStacked(st: usize, channel: usize, miss: i64): void {
  learn(st, channel + STACKED_WEIGHTS, FEATURES, FEATURES_COUNT, false, 0, load<i64>(STACKED, DOT), STACKED_SHIFT);
  const newest = <u64>clampTo(miss, HISTORY_LIMIT) & 0xffff;
  store<u64>(channel, (load<u64>(channel, STACKED_MISSES) << 16) | newest, STACKED_MISSES);
}
