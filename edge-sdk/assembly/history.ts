import { clampTo, floorDivide, saturate } from "./fixed-point";
import { CONFIG_OWN_LEVELS, historyOf, MEAN } from "./layout";

/**
 * A channel's last reconstructions, newest first, in 16 bits each: Q8 history bins from a base, with a slow mean. A host
 * chooses the history bin D << h so that a range spans at most 2^7 of them; then every entry fits, wherever the base is.
 */
/** The largest absolute entry. */
export const HISTORY_LIMIT: i32 = 32767;
/** Beyond this the base is moved closer, so that a signal may leave its range; within it, that happens once at most. */
const REBASE_FROM: i32 = 24576;
const REBASE_BY: i32 = 16384;
/** The mean is Q24, so that its steps, which are rounded down, pull it nowhere. */
const MEAN_FRACTION_BITS: i32 = 16;
/** In row n it moves 1/n of the way, n cut to a power of two from 2^6 to ROWS_LIMIT: quickly at first, then slowly. */
const MEAN_RATE_BITS_FIRST: u32 = 6;

/** Slow mean of a channel in Q8 bins. Range: -2^15 <= m < 2^15. */
export function meanOf(channel: usize): i32 {
  return load<i32>(channel, MEAN) >> MEAN_FRACTION_BITS;
}

/**
 * The entry that follows a move of the reconstruction.
 *
 * @param move  in sample units, |move| < 2^32
 * @param historyStep  D << h, at most 2^33
 */
export function nextEntry(cfg: usize, channel: usize, move: i64, historyStep: i64): i32 {
  const y0 = <i64>load<i16>(historyOf(cfg, channel));
  return clampTo(saturate(y0 + floorDivide(move * 256 + (historyStep >> 1), historyStep)), HISTORY_LIMIT);
}

/** Shift a new entry into the history and let the slow mean follow it. `rows` counts from the reset to ROWS_LIMIT. */
export function pushHistory(cfg: usize, channel: usize, y: i32, rows: u32): void {
  const history = historyOf(cfg, channel);
  for (let k = <usize>load<u8>(cfg, CONFIG_OWN_LEVELS) - 1; k > 0; k--) {
    const at = history + (k << 1);
    store<i16>(at, load<i16>(at - 2));
  }
  store<i16>(history, <i16>y);
  const mean = load<i32>(channel, MEAN);
  const rateBits = 31 - clz<u32>(rows | (1 << MEAN_RATE_BITS_FIRST));
  const far = <i32>((<i64>(y << MEAN_FRACTION_BITS) - mean) >> MEAN_RATE_BITS_FIRST); // of 33 bits, 27 are left
  store<i32>(channel, mean + (far >> (rateBits - MEAN_RATE_BITS_FIRST)), MEAN);
  if (y > REBASE_FROM) rebase(cfg, channel, -REBASE_BY);
  else if (y < -REBASE_FROM) rebase(cfg, channel, REBASE_BY);
}

/** Count a history from another base. What does not fit any more saturates. */
function rebase(cfg: usize, channel: usize, by: i32): void {
  let at = historyOf(cfg, channel);
  const end = at + ((<usize>load<u8>(cfg, CONFIG_OWN_LEVELS)) << 1);
  for (; at < end; at += 2) store<i16>(at, <i16>clampTo(load<i16>(at) + by, HISTORY_LIMIT));
  store<i32>(channel, saturate(<i64>load<i32>(channel, MEAN) + ((<i64>by) << MEAN_FRACTION_BITS)), MEAN);
}
