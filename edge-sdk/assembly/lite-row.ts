import { BASED, STATUS_MASK } from "./channel-flags";
import { saturate } from "./fixed-point";
import { baseOf } from "./keyframe";
import {
  CHANNEL_BOUND,
  CHANNEL_SPACING,
  CHANNEL_STEP,
  CHANNEL_UNIT_BITS,
  CODER_BITS,
  CODER_FLAGS,
  CODER_LOUD,
  CONFIG_CHANNEL_BYTES,
  CONFIG_CHANNELS,
  channelConfig,
  channelState,
  coderOf,
  LAST,
  TRANSIENT_BYTES,
} from "./layout";
import { codeLength, isLongRead, isNegativeRead, lowBits, readSize, resetLiteBits, writeSize } from "./lite-code";
import {
  afterOne,
  afterZero,
  byteAt,
  carry,
  chanceOf,
  closeCoder,
  code,
  codeBit,
  codeBits,
  isRefused,
  isReplay,
  low,
  openCoder,
  position,
  range,
  refuse,
  setCoder,
  setPosition,
} from "./lite-coder";
import {
  LITE_ACTIVITY,
  LITE_CHANNEL_BYTES,
  LITE_FLAGS,
  LITE_LEAD,
  LITE_MOVES,
  LITE_OCTAVE_BITS,
  LITE_STATUS,
  LITE_TAP,
  LITE_WEIGHTS,
} from "./lite-layout";
import { saturateOnLattice } from "./quantizer";
import { SAMPLE_INVALID } from "./row-coder";
import { STATUS_CORRUPT, STATUS_NO_BASE } from "./status";

/** The two directions of lite-coder.ts. */
type Encoding = u32;
type Decoding = i32;

/**
 * One row in the lite profile: predict, residual, quantize, code, reconstruct and learn as row-coder.ts does, with what an
 * interpreter can afford: four taps over the last moves, or hold; 32-bit arithmetic, small constants, few calls.
 *
 *     foreseen   = sum w_k x_k / 2^13          x_k: the last four moves in units of the channel
 *     prediction = r0 + foreseen or r0, whichever has been closer more often of late
 *     w_k       += 63 sign(x_k) sign(x - foreseen) - w_k / 2^9, of one tap in each row
 *
 * Sums and predictions wrap as 32-bit integers do: a prediction may be any int32, and both ends wrap alike.
 *
 * @see Bernard Widrow and Samuel D. Stearns, "Adaptive Signal Processing", 1985, chapter 6, for the least mean squares of
 *      which only the signs are used here
 */
const WEIGHT_BITS: i32 = 13;
const WEIGHT_STEP: i32 = 63;
const WEIGHT_LEAK_BITS: i32 = 9;
/** Moves are kept in 14 bits. Weights stay below 63 x 2^9, so that four products fit 32 bits. */
const MOVE_BITS: i32 = 13;
/** The lead moves by 15 up or 16 down, and by 1/32 towards 0. */
const LEAD_STEP: i32 = 15;
const LEAD_LEAK_BITS: i32 = 5;
const TAP_STEP: u32 = 4;
const LAST_TAP: u32 = 12;
/** Averages of |q| in Q8 move by a quarter; larger codes count as this one. */
const ACTIVITY_RATE_BITS: i32 = 2;
const LARGEST_COUNTED: u32 = 0xffffff;
/** Below 15/64 of a code, residuals are sparse. */
const SPARSE_BELOW: u32 = 60;
/** A quarter of a code, as in activity.ts. */
const FIRST_ACTIVITY: u32 = 64;
const STATUS_BITS: i32 = 2;

/** Make a state cold, as resetState of keyframe.ts. */
export function resetLiteState(cfg: usize, st: usize): void {
  const coder = coderOf(cfg, st);
  for (let at = st; at < coder + TRANSIENT_BYTES; at += 4) store<u32>(at, 0);
  resetLiteBits(st);
  for (let channel = channelState(cfg, st, 0); channel != coder; channel += LITE_CHANNEL_BYTES)
    store<u32>(channel, FIRST_ACTIVITY, LITE_ACTIVITY);
}

/** Encode one row. @param samples  i32[C]  @param statuses  u8[C], or 0 for "all ok" */
export function encodeLiteRow(cfg: usize, st: usize, samples: usize, statuses: usize): void {
  codeRow<Encoding>(cfg, st, coderOf(cfg, st), samples, statuses);
}

/** Decode one row, or replay a quiet one, as decodeRow of row-coder.ts. */
export function decodeLiteRow(cfg: usize, st: usize, samples: usize, statuses: usize): i32 {
  return codeRow<Decoding>(cfg, st, coderOf(cfg, st), samples, statuses);
}

function codeRow<D>(cfg: usize, st: usize, coder: usize, samples: usize, statuses: usize): i32 {
  if (!openCoder(coder) && isSigned<D>()) return STATUS_CORRUPT;
  const hasEvents = load<u8>(coder, CODER_FLAGS) != 0;
  if (hasEvents) codeStatuses<D>(cfg, st, statuses);
  // From memory, so that they are in locals: where a module is interpreted, large constants and offsets are slow
  const bits = <usize>load<u32>(coder, CODER_BITS);
  const tap = <usize>load<u32>(bits + LITE_TAP);
  store<u32>(bits + LITE_TAP, (<u32>tap + TAP_STEP) & LAST_TAP);
  const end = channelState(cfg, st, load<u8>(cfg, CONFIG_CHANNELS));
  let config = channelConfig(cfg, 0);
  let isLoud = false;
  for (let channel = channelState(cfg, st, 0); channel != end; channel += LITE_CHANNEL_BYTES) {
    let flags = load<u32>(channel, LITE_FLAGS);
    let isCoded = true;
    if (flags != BASED) {
      if (!hasEvents) flags &= BASED;
      isCoded = (flags & STATUS_MASK) != SAMPLE_INVALID;
      if ((flags & BASED) == 0) {
        if (isSigned<D>() && isReplay) return STATUS_NO_BASE;
        if (isCoded) {
          codeBase<D>(config, channel, load<i32>(samples));
          flags |= BASED;
          isLoud = true;
        }
        isCoded = false;
      }
      store<u32>(channel, flags, LITE_FLAGS);
    }
    if (isCoded && codeSample<D>(bits, config, channel, tap, load<i32>(samples))) isLoud = true;
    if (isSigned<D>()) {
      if (isRefused) return STATUS_CORRUPT;
      store<i32>(samples, load<i32>(channel, LAST));
      if (statuses) store<u8>(statuses++, <u8>(flags & STATUS_MASK));
    }
    config += CONFIG_CHANNEL_BYTES;
    samples += 4;
  }
  if (isLoud) store<u8>(coder, 1, CODER_LOUD);
  closeCoder(coder);
  return 0;
}

/**
 * Code one sample of one channel.
 *
 * @param bits  address of the adaptive bits
 * @param tap  4 x the tap that learns
 * @returns whether its code is not zero
 */
function codeSample<D>(bits: usize, config: usize, channel: usize, tap: usize, sample: i32): bool {
  const last = load<i32>(channel, LAST);
  const x0 = load<i32>(channel, LITE_MOVES);
  const x1 = load<i32>(channel, LITE_MOVES + 4);
  const x2 = load<i32>(channel, LITE_MOVES + 8);
  const foreseen =
    (x0 * load<i32>(channel, LITE_WEIGHTS) +
      x1 * load<i32>(channel, LITE_WEIGHTS + 4) +
      x2 * load<i32>(channel, LITE_WEIGHTS + 8) +
      load<i32>(channel, LITE_MOVES + 12) * load<i32>(channel, LITE_WEIGHTS + 12)) >>
    WEIGHT_BITS;
  const unitBits = <i32>load<u8>(config, CHANNEL_UNIT_BITS);
  const lead = load<i32>(channel, LITE_LEAD);
  let prediction = last;
  if (lead > 0) prediction = foresee(config, last, foreseen << unitBits);

  const activity = load<u32>(channel, LITE_ACTIVITY);
  const octave = 32 - <i32>clz<u32>(activity);
  const isSparse = activity < SPARSE_BELOW;
  const bound = load<u32>(config, CHANNEL_BOUND);
  let isNegative = false;
  let size: u32 = 0;
  let isOne = false;
  let k = 0;
  if (!isSigned<D>()) {
    isNegative = sample < prediction;
    size = isNegative ? <u32>prediction - <u32>sample : <u32>sample - <u32>prediction;
    isOne = size > bound;
  }

  const first = bits + (octave << LITE_OCTAVE_BITS);
  let at = first;
  let lowNow = low;
  let rangeNow = range;
  let codeNow = code;
  for (;;) {
    while (rangeNow >> 24 == 0) {
      if (isSigned<D>()) codeNow = (codeNow << 8) | byteAt(position);
      else store<u8>(position, <u8>(lowNow >> 24));
      setPosition(position + 1);
      lowNow <<= 8;
      rangeNow <<= 8;
    }
    const p = load<u32>(at);
    const below = (rangeNow >> 12) * chanceOf(p);
    if (isSigned<D>()) isOne = codeNow >= below && !isReplay;
    if (!isOne) {
      if (!isSigned<D>() || !isReplay) rangeNow = below;
      store<u32>(at, afterZero(p));
      break;
    }
    store<u32>(at, afterOne(p));
    rangeNow -= below;
    if (isSigned<D>()) codeNow -= below;
    lowNow += below;
    if (!isSigned<D>() && lowNow < below) carry(position);
    if (at != first) {
      at += 4;
      break;
    }
    at += 4;
    k = lowBits(octave);
    if (!isSigned<D>()) {
      // floor((size + e') / D) of dense bins, ceil(size / D) of sparse ones; beyond e' no difference is negative
      const step = load<u32>(config, CHANNEL_STEP);
      size = (size - (isSparse ? 1 : step - bound)) / step + 1;
      isOne = size > 1;
    }
    if (k) {
      at += 4;
      break;
    }
  }
  setCoder(lowNow, rangeNow, codeNow);

  let reconstruction = prediction;
  let kept = activity - ((activity + 3) >> ACTIVITY_RATE_BITS);
  let isLearned = !isSparse;
  const isNotZero = at != first;
  if (isNotZero) {
    const inward = isSparse ? bound : 0;
    const isUnit = at == first + 4;
    if (isSigned<D>()) {
      size = readSize(k, isUnit);
      isLearned = !isLongRead;
      reconstruction = reconstruct(config, prediction, size, isNegativeRead, inward);
    } else {
      isLearned = !writeSize(k, isUnit, size, isNegative);
      const offset = size * load<u32>(config, CHANNEL_STEP) - inward;
      reconstruction = isNegative ? prediction - offset : prediction + offset;
      const error = reconstruction - sample;
      if (error < 0 != reconstruction < sample)
        reconstruction = saturateOnLattice(<i64>sample + error, load<i32>(config, CHANNEL_SPACING));
    }
    kept += min<u32>(size, LARGEST_COUNTED) << (8 - ACTIVITY_RATE_BITS);
  }
  store<u32>(channel, kept, LITE_ACTIVITY);
  store<i32>(channel, reconstruction, LAST);

  let move = (reconstruction - last) >> unitBits;
  if (<u32>((move >> MOVE_BITS) + 1) > 1) move = (move >> 31) ^ ((1 << MOVE_BITS) - 1);
  if (isLearned) {
    const x = load<i32>(channel + tap, LITE_MOVES);
    const miss = move - foreseen;
    if (x && miss) {
      const weight = load<i32>(channel + tap, LITE_WEIGHTS);
      const sign = (x ^ miss) >> 31;
      store<i32>(channel + tap, weight - (weight >> WEIGHT_LEAK_BITS) + (sign ^ WEIGHT_STEP) - sign, LITE_WEIGHTS);
    }
    // The weighted moves were closer where the move lies beyond half of what they foresaw
    const isBehind = foreseen ? (foreseen ^ (move + miss)) >> 31 : -1;
    store<i32>(channel, lead - (lead >> LEAD_LEAK_BITS) + (isBehind ^ LEAD_STEP), LITE_LEAD);
  }
  store<i32>(channel, move, LITE_MOVES);
  store<i32>(channel, x0, LITE_MOVES + 4);
  store<i32>(channel, x1, LITE_MOVES + 8);
  store<i32>(channel, x2, LITE_MOVES + 12);
  return isNotZero;
}

/** The prediction after a move: on the lattice, or the last reconstruction where the nearest point is outside int32. */
function foresee(config: usize, last: i32, move: i32): i32 {
  const spacing = load<u32>(config, CHANNEL_SPACING);
  if (spacing == 1) return last + move;
  const far = move < 0 ? -(<u32>move) : <u32>move;
  const points = <i32>(((far + (spacing >> 1)) / spacing) * spacing);
  const prediction = move < 0 ? last - points : last + points;
  return prediction < last == move < 0 ? prediction : last;
}

/** What a decoder makes of a code; it refuses one that no encoder has for what it stands for. */
function reconstruct(config: usize, prediction: i32, size: u32, isNegative: bool, inward: u32): i32 {
  const offset = <i64>size * load<u32>(config, CHANNEL_STEP) - inward;
  const wide = isNegative ? prediction - offset : prediction + offset;
  const bound = <i64>load<u32>(config, CHANNEL_BOUND);
  if (<u64>(wide - saturate(wide) + bound) > <u64>(2 * bound)) refuse();
  return saturateOnLattice(wide, load<i32>(config, CHANNEL_SPACING));
}

/** Code a channel's first valid sample, as keyframe.ts does, without a 64-bit division. */
function codeBase<D>(config: usize, channel: usize, sample: i32): void {
  const size = codeLength<D>(baseSize(config, sample) + 1) - 1;
  const isNegative = size != 0 && codeBits<D>(1, u32(sample < 0)) != 0;
  const base = baseOf(config, isNegative ? -(<i64>size) : <i64>size);
  store<i32>(channel, base, LAST);
  if (isSigned<D>() && (baseSize(config, base) != size || base < 0 != isNegative)) refuse();
}

/** The number of a first sample's bin, or on a lattice its value, without a sign. Range: 0..2^31 */
function baseSize(config: usize, sample: i32): u32 {
  const size = sample < 0 ? -(<u32>sample) : <u32>sample;
  if (load<i32>(config, CHANNEL_SPACING) != 1) return size;
  return (size + load<u32>(config, CHANNEL_BOUND)) / load<u32>(config, CHANNEL_STEP);
}

/**
 * Code the statuses of a row: whether any differs from that of its channel's last sample, then all of them. They are kept
 * in the channels' flags.
 *
 * @param statuses  u8[C], read by an encoder; 0 for "all ok"
 */
function codeStatuses<D>(cfg: usize, st: usize, statuses: usize): void {
  const channels = <i32>load<u8>(cfg, CONFIG_CHANNELS);
  let word: u32 = 0;
  let before: u32 = 0;
  for (let c = 0; c < channels; c++) {
    before = (before << STATUS_BITS) | (load<u32>(channelState(cfg, st, c), LITE_FLAGS) & STATUS_MASK);
    word = (word << STATUS_BITS) | (!isSigned<D>() && statuses ? <u32>load<u8>(statuses + c) : 0);
  }
  if (!codeBit<D>(st + LITE_STATUS, word != before)) return;
  word = codeBits<D>(channels * STATUS_BITS, word);
  // A 3 is no status
  if (isSigned<D>() && (word == before || (word & (word >> 1) & 0x55555555) != 0)) refuse();
  for (let c = channels - 1; c >= 0; c--) {
    const channel = channelState(cfg, st, c);
    store<u32>(channel, (load<u32>(channel, LITE_FLAGS) & BASED) | (word & STATUS_MASK), LITE_FLAGS);
    word >>= STATUS_BITS;
  }
}
