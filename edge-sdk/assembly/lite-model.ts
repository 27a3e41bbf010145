import {
  CHANNEL_BOUND,
  CHANNEL_SPACING,
  CHANNEL_STEP,
  CHANNEL_UNIT_BITS,
  channelState,
  coderOf,
  LAST,
  TRANSIENT_BYTES,
} from "./layout";
import { resetLiteBits } from "./lite-code";
import { isRefused } from "./lite-coder";
import {
  LITE_ACTIVITY,
  LITE_CHANNEL_BYTES,
  LITE_LEAD,
  LITE_MOVES,
  LITE_ROWS,
  LITE_WEIGHTS,
  NO_BASE,
} from "./lite-layout";

/**
 * Predictor and quantizer of the lite profile: what an interpreter can afford, in 32-bit arithmetic with small constants.
 *
 *     foreseen   = sum w_k x_k / 2^13          x_k: the last four moves in units of the channel
 *     prediction = r0 + foreseen or r0, whichever has been closer more often of late
 *     w_k       += 63 sign(x_k) sign(x - foreseen) - w_k / 2^9, in each row of one tap of every other channel
 *
 * Sums, moves and predictions wrap as 32-bit integers do: a prediction may be any int32, and both ends wrap alike. Bins are
 * those of quantizer.ts, dense or sparse.
 *
 * @see Bernard Widrow and Samuel D. Stearns, "Adaptive Signal Processing", 1985, chapter 6, for the least mean squares of
 *      which only the signs are used here
 */
const WEIGHT_BITS: i32 = 13;
const WEIGHT_STEP: i32 = 63;
const WEIGHT_LEAK_BITS: i32 = 9;
/** The lead moves by 15 up or 16 down, and by 1/32 towards 0. */
const LEAD_STEP: i32 = 15;
const LEAD_LEAK_BITS: i32 = 5;
const ROWS_MASK: u32 = 7;
const TAP_MASK: u32 = 12;
/** Averages of |q| in Q8 move by a quarter; larger codes count as the largest of so many bits. */
const ACTIVITY_RATE_BITS: i32 = 2;
const COUNTED_BITS: u32 = 24;
const LARGEST_ACTIVITY: u32 = 0xfffffffc;
const LONG_OCTAVES: i32 = 4;
const LONG_LEAST: u32 = 63;
/** Below 15/64 of a code, residuals are sparse. */
const SPARSE_BELOW: u32 = 60;
/** A quarter of a code, as in activity.ts. */
export const FIRST_ACTIVITY: u32 = 64;

/** Make a state cold, as resetState of keyframe.ts. */
export function resetLiteState(cfg: usize, st: usize): void {
  const coder = coderOf(cfg, st);
  for (let at = st; at < coder + TRANSIENT_BYTES; at += 4) store<u32>(at, 0);
  resetLiteBits(st);
  for (let channel = channelState(cfg, st, 0); channel != coder; channel += LITE_CHANNEL_BYTES)
    store<u32>(channel, NO_BASE, LITE_ACTIVITY);
}

/** Count a row. @returns the count before it, modulo 8 */
export function countLiteRow(home: usize): u32 {
  const rows = load<u32>(home, LITE_ROWS);
  store<u32>(home, (rows + 1) & ROWS_MASK, LITE_ROWS);
  return rows;
}

/** Does a channel learn in a row? Channels are an odd number of words apart, so every other one does. */
export function isItsTurn(channel: usize, rows: u32): bool {
  return (((<u32>channel >> 2) ^ rows) & 1) != 0;
}

/** 4 x the tap that learns in a row. @param rows  of countLiteRow */
export function tapOf(rows: u32): usize {
  return (rows << 1) & TAP_MASK;
}

/** The next move that the weights foresee, in units. */
export function foreseeMove(channel: usize): i32 {
  return (
    (load<i32>(channel, LITE_MOVES) * load<i32>(channel, LITE_WEIGHTS) +
      load<i32>(channel, LITE_MOVES + 4) * load<i32>(channel, LITE_WEIGHTS + 4) +
      load<i32>(channel, LITE_MOVES + 8) * load<i32>(channel, LITE_WEIGHTS + 8) +
      load<i32>(channel, LITE_MOVES + 12) * load<i32>(channel, LITE_WEIGHTS + 12)) >>
    WEIGHT_BITS
  );
}

/** The prediction after a move: on the lattice, or the last reconstruction where the nearest point is outside int32. */
export function predictionAfter(config: usize, last: i32, foreseen: i32): i32 {
  const move = foreseen << (<i32>load<u8>(config, CHANNEL_UNIT_BITS));
  const spacing = load<u32>(config, CHANNEL_SPACING);
  if (spacing == 1) return last + move;
  const far = move < 0 ? -(<u32>move) : <u32>move;
  const points = <i32>(((far + (spacing >> 1)) / spacing) * spacing);
  const prediction = move < 0 ? last - points : last + points;
  return prediction < last == move < 0 ? prediction : last;
}

/** Are most codes zero? */
export function isLiteSparse(activity: u32): bool {
  return activity < SPARSE_BELOW;
}

/** |q| of a residual beyond the bound e': floor((away + e') / D) of dense bins, ceil(away / D) of sparse ones. */
export function sizeOf(step: u32, away: u32, bound: u32, isSparse: bool): u32 {
  return isSparse ? (away - 1) / step + 1 : (away - step + bound) / step + 1;
}

/** |q| as the activity counts it. */
export function countedSize(size: u32): u32 {
  return size >> COUNTED_BITS ? (1 << COUNTED_BITS) - 1 : size;
}

/** The activity after a code that is not long. @param counted  of countedSize  Range: 0..2^32 - 1 */
export function activityAfter(activity: u32, counted: u32): u32 {
  return restedActivity(activity) + (counted << (8 - ACTIVITY_RATE_BITS));
}

/** The activity after a long code: four octaves more, or all there are; at once it would stay busy long after one jump. */
export function activityAfterLong(activity: u32, zeros: i32): u32 {
  return zeros > LONG_OCTAVES ? (activity | LONG_LEAST) << LONG_OCTAVES : LARGEST_ACTIVITY;
}

/** The activity after a zero. */
export function restedActivity(activity: u32): u32 {
  return activity - (activity >> ACTIVITY_RATE_BITS);
}

/**
 * Keep a reconstruction, and learn from it; D as in lite-coder.ts. What was refused is not kept.
 *
 * @param tap  of tapOf
 * @param foreseen  of foreseeMove, where the lead is above 0; elsewhere it is worked out where it is needed
 * @param isLearned  it is the channel's turn, and its code says anything of the weights: it is neither a zero in sparse bins
 *                   nor long
 */
export function keepSample<D>(
  config: usize,
  channel: usize,
  tap: usize,
  last: i32,
  reconstruction: i32,
  lead: i32,
  foreseen: i32,
  isLearned: bool,
): void {
  if (isSigned<D>() && isRefused) return;
  const move = (reconstruction - last) >> <i32>load<u8>(config, CHANNEL_UNIT_BITS);
  store<i32>(channel, reconstruction, LAST);
  if (isLearned) {
    if (lead <= 0) foreseen = foreseeMove(channel);
    const miss = move - foreseen;
    const x = load<i32>(channel + tap, LITE_MOVES);
    if (x && miss) {
      const weight = load<i32>(channel + tap, LITE_WEIGHTS);
      const sign = (x ^ miss) >> 31;
      store<i32>(channel + tap, weight - (weight >> WEIGHT_LEAK_BITS) + (sign ^ WEIGHT_STEP) - sign, LITE_WEIGHTS);
    }
    // The weighted moves were closer where the move lies beyond half of what they foresaw
    const isBehind = foreseen ? (foreseen ^ (move + miss)) >> 31 : -1;
    store<i32>(channel, lead - (lead >> LEAD_LEAK_BITS) + (isBehind ^ LEAD_STEP), LITE_LEAD);
  }
  store<u64>(channel, load<u64>(channel, LITE_MOVES + 4), LITE_MOVES + 8);
  store<i32>(channel, load<i32>(channel, LITE_MOVES), LITE_MOVES + 4);
  store<i32>(channel, move, LITE_MOVES);
}

/** The number of a first sample's bin, or on a lattice its value, without a sign, as baseBin of keyframe.ts. Range: 0..2^31 */
export function baseSize(config: usize, sample: i32): u32 {
  const size = sample < 0 ? -(<u32>sample) : <u32>sample;
  if (load<i32>(config, CHANNEL_SPACING) != 1) return size;
  return (size + load<u32>(config, CHANNEL_BOUND)) / load<u32>(config, CHANNEL_STEP);
}
