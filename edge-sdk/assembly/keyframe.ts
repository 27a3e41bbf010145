import { resetActivity } from "./activity";
import { setBase } from "./channel-flags";
import { CONFIG_CHANNELS, channelState, coderOf, DITHER, LAST, TRANSIENT_BYTES } from "./layout";
import { resetLineBits } from "./line-code";
import { resetPredictors } from "./predictors";
import { codeRaw } from "./range-coder";
import { resetBits } from "./residual-code";

/**
 * The known state from which both ends start: everything cold, and each channel's first valid sample as 32 raw bits.
 * Keeping or restoring a state needs no code here: the persistent part of the block is copied as it is.
 */
/** The golden ratio; another start changes rates by the luck of the rounding, about 0.2 % in the mean of many signals. */
const FIRST_DITHER: u32 = 0x9e3779b9;

/** Make a state cold: no bases, first probabilities, no memory of any sample. */
export function resetState(cfg: usize, st: usize): void {
  const channels = <i32>load<u8>(cfg, CONFIG_CHANNELS);
  const end = coderOf(cfg, st) + TRANSIENT_BYTES;
  for (let at = st; at < end; at += 4) store<u32>(at, 0);
  store<u32>(st, FIRST_DITHER, DITHER);
  resetBits(st);
  resetLineBits(st);
  for (let c = 0; c < channels; c++) {
    const channel = channelState(cfg, st, c);
    resetPredictors(channel);
    resetActivity(channel);
  }
}

/** Code a channel's first valid sample; its history starts here. */
export function codeBase(channel: usize, flags: usize, coder: usize, sample: i32): void {
  store<i32>(channel, <i32>codeRaw(coder, 32, <u32>sample), LAST);
  setBase(flags);
}
