import { clampTo } from "./fixed-point";
import { HISTORY_LIMIT } from "./history";
import { STACKED_MISSES, STACKED_WEIGHTS } from "./layout";
import { FEATURES, WEIGHT_FRACTION_BITS } from "./least-mean-squares";

/**
 * The fifth expert, where channels are few enough to pay for it: an NLMS over what the line, the steps and the levels
 * foresee and over the mix's last four misses. It finds what the others have in common to be wrong.
 *
 * @see D. Wolpert, "Stacked generalization", 1992
 */
const FORECASTS_USED: i32 = 3;

/** Learning rate over 2^10, bits to a gain, and the energy that stands for "no signal", as in predictors.ts. */
export const STACKED_RATE: i32 = 8;
export const STACKED_GAIN_BITS: i64 = 5;
export const STACKED_ENERGY: i32 = 1 << 16;

/** Cold start: the mean of steps and levels; the block is zero already. */
export function resetStacked(channel: usize): void {
  const half: u32 = (1 << WEIGHT_FRACTION_BITS) >> 1;
  store<u32>(channel, half | (half << 16), STACKED_WEIGHTS + 2);
}

/** Make ready to add up the stacked expert's sums. `forecasts` are i32, Q8: those of the line, the steps and the levels. */
export function gatherFeatures(channel: usize, forecasts: usize): void {
  for (let i = 0; i < FORECASTS_USED; i++) {
    const forecast = clampTo(load<i32>(forecasts + ((<usize>i) << 2)), HISTORY_LIMIT);
    store<i16>(FEATURES + ((<usize>i) << 1), <i16>forecast);
  }
  store<u64>(FEATURES + (FORECASTS_USED << 1), load<u64>(channel, STACKED_MISSES));
}

/** Remember what the mix missed by (Q8 history bins). */
export function keepMiss(channel: usize, miss: i32): void {
  const newest = <u64>clampTo(miss, HISTORY_LIMIT) & 0xffff;
  store<u64>(channel, (load<u64>(channel, STACKED_MISSES) << 16) | newest, STACKED_MISSES);
}
