import {
  ACTIVITY_FAST,
  ACTIVITY_SLOW,
  CONFIG_CHANNELS,
  channelState,
  DITHER,
  flagsOf,
  LAST,
  stateBytes,
} from "./layout";
import { resetPredictors } from "./predictors";
import { codeRaw } from "./range-coder";
import { resetBits } from "./residual-code";

/**
 * The known state from which both ends start: everything cold, and each channel's first valid sample as 32 raw bits.
 * Keeping or restoring a state needs no code here: the persistent part of the block is copied as it is.
 */
const FIRST_DITHER: u32 = 1;
const FIRST_ACTIVITY: u16 = 256; // one code
const FLAG_STATUS: u32 = 3;
const FLAG_BASED: u32 = 4;
const SIGN_BITS: i32 = 3;
const FLAG_SIGN: u32 = 3 << SIGN_BITS;

/** Make a state cold: no bases, first probabilities, no memory of any sample. */
export function resetState(cfg: usize, st: usize): void {
  const channels = <i32>load<u8>(cfg, CONFIG_CHANNELS);
  const bytes = <usize>stateBytes(channels);
  for (let i: usize = 0; i < bytes; i += 4) store<u32>(st + i, 0);
  store<u32>(st, FIRST_DITHER, DITHER);
  resetBits(st);
  for (let c = 0; c < channels; c++) {
    const channel = channelState(cfg, st, c);
    resetPredictors(channel);
    store<u16>(channel, FIRST_ACTIVITY, ACTIVITY_FAST);
    store<u16>(channel, FIRST_ACTIVITY, ACTIVITY_SLOW);
  }
}

/** Has the channel had its first valid sample since the reset? */
export function hasBase(cfg: usize, channel: usize): bool {
  return (load<u16>(flagsOf(cfg, channel)) & FLAG_BASED) != 0;
}

/** Code a channel's first valid sample; its history starts here. @returns the base */
export function codeBase(cfg: usize, channel: usize, coder: usize, sample: i32): i32 {
  const base = <i32>codeRaw(coder, 32, <u32>sample);
  store<i32>(channel, base, LAST);
  const flags = flagsOf(cfg, channel);
  store<u16>(flags, <u16>(load<u16>(flags) | FLAG_BASED));
  return base;
}

/** Status of the channel's last sample: 0 ok, 1 invalid, 2 saturated. */
export function lastStatus(cfg: usize, channel: usize): i32 {
  return <i32>(load<u16>(flagsOf(cfg, channel)) & FLAG_STATUS);
}

/** Remember a channel's status. */
export function keepStatus(cfg: usize, channel: usize, status: i32): void {
  const flags = flagsOf(cfg, channel);
  store<u16>(flags, <u16>((load<u16>(flags) & ~FLAG_STATUS) | <u32>status));
}

/** Sign of the channel's last code: 0 none, 1 negative, 2 positive. */
export function lastSign(cfg: usize, channel: usize): i32 {
  return <i32>((load<u16>(flagsOf(cfg, channel)) & FLAG_SIGN) >> SIGN_BITS);
}

/** Remember the sign of a code. */
export function keepSign(cfg: usize, channel: usize, code: i64): void {
  const flags = flagsOf(cfg, channel);
  const sign: u32 = code < 0 ? 1 : code > 0 ? 2 : 0;
  store<u16>(flags, <u16>((load<u16>(flags) & ~FLAG_SIGN) | (sign << SIGN_BITS)));
}
