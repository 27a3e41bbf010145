import { resetActivity } from "./activity";
import { setBase } from "./channel-flags";
import { saturate } from "./fixed-point";
import {
  CHANNEL_BOUND,
  CHANNEL_SPACING,
  CHANNEL_STEP,
  CONFIG_CHANNELS,
  channelState,
  coderOf,
  DITHER,
  LAST,
  TRANSIENT_BYTES,
} from "./layout";
import { resetLineBits } from "./line-code";
import { resetPredictors } from "./predictors";
import { quantize } from "./quantizer";
import { decodes } from "./range-coder";
import { codeBin, resetBits } from "./residual-code";

/**
 * The known state from which both ends start: everything cold, and each channel's first valid sample without a prediction.
 * Keeping or restoring a state needs no code here: the persistent part of the block is copied as it is.
 */
/** The golden ratio; another start changes rates by the luck of the rounding. */
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
    resetPredictors(cfg, channel);
    resetActivity(channel);
  }
}

/**
 * Bin of a channel's first valid sample, counted from 0. Without a lattice any value within e will do, so it travels as
 * the number of its bin of width D; on a lattice, which it is to fix, as it is.
 */
export function baseBin(config: usize, sample: i32): i64 {
  const isExact = load<i32>(config, CHANNEL_SPACING) != 1;
  return isExact ? sample : quantize(sample, load<i32>(config, CHANNEL_STEP), load<i32>(config, CHANNEL_BOUND), false);
}

/** The middle of a bin: the base that a channel starts from. */
export function baseOf(config: usize, bin: i64): i32 {
  return saturate(load<i32>(config, CHANNEL_SPACING) != 1 ? bin : bin * load<i32>(config, CHANNEL_STEP));
}

/**
 * Code a channel's first valid sample; its history starts here.
 *
 * @returns false when a decoder read a bin that holds no sample
 */
export function codeBase(st: usize, config: usize, channel: usize, flags: usize, coder: usize, sample: i32): bool {
  const bin = codeBin(st, coder, baseBin(config, sample));
  const base = baseOf(config, bin);
  store<i32>(channel, base, LAST);
  setBase(flags);
  return decodes == 0 || baseBin(config, base) == bin;
}
