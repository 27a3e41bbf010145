import { pushEntry, storeEntry } from "./history";
import { entryShift, STACKED_MISSES_COUNT, stackedMissesOf, stackedWeightsOf } from "./layout";
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
export const STACKED_ENERGY: i64 = 1 << (16 + 24);

/** Cold start: the mean of steps and levels; the block is zero already. */
export function resetStacked(cfg: usize, channel: usize): void {
  const half: u32 = (1 << WEIGHT_FRACTION_BITS) >> 1;
  store<u32>(stackedWeightsOf(cfg, channel), half | (half << 16), 2);
}

/** Make ready to add up the stacked expert's sums. `forecasts` are i32, as entries: those of the line, the steps and the levels. */
export function gatherFeatures(cfg: usize, channel: usize, forecasts: usize): void {
  for (let i = 0; i < FORECASTS_USED; i++) {
    storeEntry(cfg, FEATURES, i, load<i32>(forecasts + ((<usize>i) << 2)));
  }
  const misses = FEATURES + ((<usize>FORECASTS_USED) << entryShift(cfg));
  const kept = stackedMissesOf(cfg, channel);
  const bytes = (<usize>STACKED_MISSES_COUNT) << entryShift(cfg);
  for (let i: usize = 0; i < bytes; i += 2) store<u16>(misses + i, load<u16>(kept + i));
}

/** Remember what the mix missed by (as an entry). */
export function keepMiss(cfg: usize, channel: usize, miss: i32): void {
  pushEntry(cfg, stackedMissesOf(cfg, channel), STACKED_MISSES_COUNT, miss);
}
