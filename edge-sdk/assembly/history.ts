import { clampTo, floorDivide, saturate } from "./fixed-point";
import { CONFIG_OWN_LEVELS, entryShift, extraBits, historyOf, MEAN, slopeOf, widthOf } from "./layout";

/**
 * A channel's last reconstructions, newest first: history bins from a base, with a slow mean. A host chooses the history bin
 * D << h so that a range spans at most 2^7 of them; then every entry fits, wherever the base is. Entries are Q8 in 16 bits;
 * where a bin D would be less than 2^6 of that, all histories of the device are wide, Q20 in 32 bits.
 */
/** The largest absolute entry, Q8. */
const HISTORY_LIMIT: i32 = 32767;
/** Beyond this the base is moved closer, so that a signal may leave its range; within it, that happens once at most. */
const REBASE_FROM: i32 = 24576;
const REBASE_BY: i32 = 16384;
/** The mean is Q24, so that its steps, which are rounded down, pull it nowhere. */
const MEAN_FRACTION_BITS: i32 = 16;
/** In row n it moves 1/n of the way, n cut to a power of two from 2^6 to ROWS_LIMIT: quickly at first, then slowly. */
const MEAN_RATE_BITS_FIRST: u32 = 6;

/** In row n the slope of a wide history moves 1/n of the way, n cut to a power of two from 2^2 to 2^8. */
const SLOPE_RATE_BITS: u32 = 8;

/** Slow mean of a channel, as an entry. Range: -2^15 <= m < 2^15, wide -2^27 <= m < 2^27. */
export function meanOf(cfg: usize, channel: usize): i32 {
  return load<i32>(channel, MEAN) >> (MEAN_FRACTION_BITS - extraBits(cfg));
}

/** Entry i of a history. */
export function entryAt(cfg: usize, history: usize, i: i32): i32 {
  const at = history + ((<usize>i) << entryShift(cfg));
  return widthOf(cfg) ? load<i32>(at) : <i32>load<i16>(at);
}

/** Replace entry i, clamped to what it can hold. */
export function storeEntry(cfg: usize, history: usize, i: i32, entry: i32): void {
  const at = history + ((<usize>i) << entryShift(cfg));
  entry = clampTo(entry, historyLimit(cfg));
  if (widthOf(cfg)) store<i32>(at, entry);
  else store<i16>(at, <i16>entry);
}

/** Shift a new entry into `count` entries. */
export function pushEntry(cfg: usize, first: usize, count: i32, entry: i32): void {
  const bytes: usize = 1 << entryShift(cfg);
  for (let at = first + ((<usize>(count - 1)) << entryShift(cfg)); at > first; ) {
    at -= 2;
    store<u16>(at + bytes, load<u16>(at));
  }
  storeEntry(cfg, first, 0, entry);
}

/** The largest absolute entry of the configured width. */
function historyLimit(cfg: usize): i32 {
  return HISTORY_LIMIT << extraBits(cfg);
}

/**
 * The entry that follows a move of the reconstruction.
 *
 * @param move  in sample units, |move| < 2^32
 * @param historyStep  D << h, at most 2^33
 */
export function nextEntry(cfg: usize, channel: usize, move: i64, historyStep: i64): i32 {
  const y0 = <i64>entryAt(cfg, historyOf(cfg, channel), 0);
  const moved = floorDivide((move << (8 + extraBits(cfg))) + (historyStep >> 1), historyStep);
  return clampTo(saturate(y0 + moved), historyLimit(cfg));
}

/** Shift a new entry into the history and let the slow mean follow it. `rows` counts from the reset to ROWS_LIMIT. */
export function pushHistory(cfg: usize, channel: usize, y: i32, rows: u32): void {
  const history = historyOf(cfg, channel);
  if (widthOf(cfg)) {
    const at = slopeOf(cfg, channel);
    const slope = load<i32>(at);
    const bits = min<u32>(31 - clz<u32>(rows | 4), SLOPE_RATE_BITS);
    store<i32>(at, slope + ((y - load<i32>(history) - slope + (1 << (bits - 1))) >> bits));
  }
  pushEntry(cfg, history, load<u8>(cfg, CONFIG_OWN_LEVELS), y);
  const mean = load<i32>(channel, MEAN);
  const extra = extraBits(cfg);
  const rateBits = 31 - clz<u32>(rows | (1 << MEAN_RATE_BITS_FIRST));
  const far = <i32>((<i64>(y << (MEAN_FRACTION_BITS - extra)) - mean) >> MEAN_RATE_BITS_FIRST); // of 33 bits, 27 are left
  store<i32>(channel, mean + (far >> (rateBits - MEAN_RATE_BITS_FIRST)), MEAN);
  const whole = y >> extra;
  if (whole > REBASE_FROM) rebase(cfg, channel, -REBASE_BY);
  else if (whole < -REBASE_FROM) rebase(cfg, channel, REBASE_BY);
}

/** Count a history from another base. What does not fit any more saturates. */
function rebase(cfg: usize, channel: usize, by: i32): void {
  const history = historyOf(cfg, channel);
  for (let i = <i32>load<u8>(cfg, CONFIG_OWN_LEVELS) - 1; i >= 0; i--) {
    storeEntry(cfg, history, i, entryAt(cfg, history, i) + (by << extraBits(cfg)));
  }
  store<i32>(channel, saturate(<i64>load<i32>(channel, MEAN) + ((<i64>by) << MEAN_FRACTION_BITS)), MEAN);
}
