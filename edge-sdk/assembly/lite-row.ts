import { BASED, STATUS_MASK } from "./channel-flags";
import { saturate } from "./fixed-point";
import {
  CHANNEL_BOUND,
  CHANNEL_SPACING,
  CHANNEL_STEP,
  CHANNEL_UNIT_BITS,
  CODER_FLAGS,
  CODER_LOUD,
  CODER_MODE,
  CONFIG_CHANNELS,
  CONFIG_CHANNEL_BYTES,
  channelConfig,
  channelState,
  coderOf,
  FRAME_EVENTS,
  LAST,
  TRANSIENT_BYTES,
} from "./layout";
import { baseOf } from "./keyframe";
import { isLiteNegative, liteLength, liteNotZero, liteSize, liteStatus, resetLiteBits } from "./lite-code";
import {
  isLiteCorrupt,
  liteCoderOpen,
  liteDecoderClose,
  liteEncoderClose,
  liteRaw,
  refuseLite,
} from "./lite-coder";
import { LITE_ACTIVITY, LITE_CHANNEL_BYTES, LITE_EXCESS, LITE_FLAGS, LITE_MOVES, LITE_WEIGHTS } from "./lite-layout";
import { saturateOnLattice } from "./quantizer";
import { MODE_REPLAY } from "./range-coder";
import { SAMPLE_INVALID, SAMPLE_OK } from "./row-coder";
import { STATUS_CORRUPT, STATUS_NO_BASE } from "./status";

/** The two directions of lite-coder.ts. */
type Encoding = u32;
type Decoding = i32;

/**
 * One row in the lite profile: predict, residual, quantize, code, reconstruct and learn as row-coder.ts does, with what an
 * interpreter can afford: the last move weighed over four taps, or hold; 32-bit arithmetic, calls of few functions.
 *
 *     foreseen   = sum w_k x_k / 2^13          x_k: the last four moves in units of the channel
 *     prediction = r0 + foreseen or r0, whichever has missed by less of late
 *     w_k       += 48 sign(x_k) sign(x - foreseen) - w_k / 2^10
 *
 * Sums and predictions wrap as 32-bit integers do; a prediction may be any int32, and both ends wrap alike.
 *
 * @see Bernard Widrow and Samuel D. Stearns, "Adaptive Signal Processing", 1985, chapter 6, for the least mean squares whose
 *      signs alone are used here
 */
const WEIGHT_BITS: i32 = 13;
const WEIGHT_STEP: i32 = 48;
const WEIGHT_LEAK_BITS: i32 = 10;
/** Moves are kept in 14 bits. Weights stay below 48 x 2^10, so that four products fit 32 bits. */
const MOVE_BITS: i32 = 13;
/** Hold is taken where it misses by at most 16/15 of what the weighted moves do; averages move by 1/16. */
const HOLD_BITS: i32 = 4;
const EXCESS_BITS: i32 = 6;
const EXCESS_RATE_BITS: i32 = 4;
/** Averages of |q| in Q8 move by a quarter; larger codes count as this one. */
const ACTIVITY_RATE_BITS: i32 = 2;
const LARGEST_COUNTED: u32 = 0xffffff;
/** Below 15/64 of a code, residuals are sparse. */
const SPARSE_BELOW: u32 = 60;

/** A quarter of a code, as in activity.ts. */
const FIRST_ACTIVITY: u32 = 64;

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
  const coder = coderOf(cfg, st);
  liteCoderOpen(coder);
  codeRow<Encoding>(cfg, st, coder, samples, statuses);
  liteEncoderClose(coder);
}

/** Decode one row, or replay a quiet one, as decodeRow of row-coder.ts. */
export function decodeLiteRow(cfg: usize, st: usize, samples: usize, statuses: usize): i32 {
  const coder = coderOf(cfg, st);
  if (!liteCoderOpen(coder)) return STATUS_CORRUPT;
  const refusal = codeRow<Decoding>(cfg, st, coder, samples, statuses);
  liteDecoderClose(coder);
  return refusal;
}

function codeRow<D>(cfg: usize, st: usize, coder: usize, samples: usize, statuses: usize): i32 {
  const hasEvents = load<u8>(coder, CODER_FLAGS) == FRAME_EVENTS;
  const end = channelState(cfg, st, load<u8>(cfg, CONFIG_CHANNELS));
  let config = channelConfig(cfg, 0);
  let isLoud = false;
  for (let channel = channelState(cfg, st, 0); channel != end; channel += LITE_CHANNEL_BYTES) {
    let flags = load<u32>(channel, LITE_FLAGS);
    let hasSample = true;
    if (flags != BASED || hasEvents) {
      if (isSigned<D>() && (flags & BASED) == 0 && load<u8>(coder, CODER_MODE) == MODE_REPLAY) return STATUS_NO_BASE;
      const status = hasEvents ? nextStatus<D>(st, flags & STATUS_MASK, statuses) : SAMPLE_OK;
      const isFirst = (flags & BASED) == 0;
      hasSample = status != SAMPLE_INVALID && !isFirst;
      if (isFirst && status != SAMPLE_INVALID) {
        codeBase<D>(st, config, channel, load<i32>(samples));
        flags = BASED;
        isLoud = true;
      }
      flags = (flags & BASED) | status;
      store<u32>(channel, flags, LITE_FLAGS);
    }
    if (hasSample && codeSample<D>(st, config, channel, load<i32>(samples))) isLoud = true;
    if (isSigned<D>()) {
      if (isLiteCorrupt) return STATUS_CORRUPT;
      store<i32>(samples, load<i32>(channel, LAST));
      if (statuses) store<u8>(statuses, <u8>(flags & STATUS_MASK));
    }
    config += CONFIG_CHANNEL_BYTES;
    samples += 4;
    if (statuses) statuses++;
  }
  if (isLoud) store<u8>(coder, 1, CODER_LOUD);
  return 0;
}

/** Code a channel's status; its own, which an encoder reads, is at `statuses`, or ok where that is 0. */
function nextStatus<D>(st: usize, previous: u32, statuses: usize): u32 {
  const status = isSigned<D>() || statuses == 0 ? SAMPLE_OK : <i32>load<u8>(statuses);
  return liteStatus<D>(st, previous, status);
}

/** Code a channel's first valid sample, as keyframe.ts does, without a 64-bit division. */
function codeBase<D>(st: usize, config: usize, channel: usize, sample: i32): void {
  const size = liteLength<D>(st, baseSize(config, sample));
  const isNegative = size != 0 && liteRaw<D>(1, u32(sample < 0)) != 0;
  const bin = isNegative ? -(<i64>size) : <i64>size;
  const base = baseOf(config, bin);
  store<i32>(channel, base, LAST);
  if (isSigned<D>() && (baseSize(config, base) != size || (base < 0) != isNegative)) refuseLite();
}

/** The number of a first sample's bin, or on a lattice its value, without a sign. Range: 0..2^31. */
function baseSize(config: usize, sample: i32): u32 {
  const size = sample < 0 ? -(<u32>sample) : <u32>sample;
  if (load<i32>(config, CHANNEL_SPACING) != 1) return size;
  return (size + load<u32>(config, CHANNEL_BOUND)) / load<u32>(config, CHANNEL_STEP);
}

/** Code one sample of one channel. @returns whether its code is not zero */
function codeSample<D>(st: usize, config: usize, channel: usize, sample: i32): bool {
  const last = load<i32>(channel, LAST);
  const x0 = load<i32>(channel, LITE_MOVES);
  const x1 = load<i32>(channel, LITE_MOVES + 4);
  const x2 = load<i32>(channel, LITE_MOVES + 8);
  const x3 = load<i32>(channel, LITE_MOVES + 12);
  const w0 = load<i32>(channel, LITE_WEIGHTS);
  const w1 = load<i32>(channel, LITE_WEIGHTS + 4);
  const w2 = load<i32>(channel, LITE_WEIGHTS + 8);
  const w3 = load<i32>(channel, LITE_WEIGHTS + 12);
  const foreseen = (x0 * w0 + x1 * w1 + x2 * w2 + x3 * w3) >> WEIGHT_BITS;
  const unitBits = <i32>load<u8>(config, CHANNEL_UNIT_BITS);
  const excess = load<i32>(channel, LITE_EXCESS);
  const prediction = excess > 0 ? foresee(config, last, foreseen << unitBits) : last;
  const activity = load<u32>(channel, LITE_ACTIVITY);
  const octave = 32 - <i32>clz<u32>(activity);
  const isSparse = activity < SPARSE_BELOW;
  const bound = load<u32>(config, CHANNEL_BOUND);

  let isNegative = sample < prediction;
  const away = isNegative ? <u32>prediction - <u32>sample : <u32>sample - <u32>prediction;
  const isNotZero = liteNotZero<D>(st, octave, away > bound);
  let reconstruction = prediction;
  let kept = activity - ((activity + 3) >> ACTIVITY_RATE_BITS);
  if (isNotZero) {
    const step = load<u32>(config, CHANNEL_STEP);
    const inward = isSparse ? bound : 0;
    let size: u32 = 0;
    // floor((away + e') / D) of dense bins and ceil(away / D) of sparse ones: beyond e', neither sum is negative or wraps
    if (!isSigned<D>()) size = (away - (isSparse ? 1 : step - bound)) / step + 1;
    const coded = liteSize<D>(st, octave, size, isNegative);
    if (isSigned<D>()) {
      size = coded;
      isNegative = isLiteNegative;
      reconstruction = reconstruct(config, prediction, size, isNegative, inward);
    } else {
      const offset = size * step - inward;
      reconstruction = isNegative ? prediction - offset : prediction + offset;
      const error = reconstruction - sample;
      if ((error < 0) != (reconstruction < sample))
        reconstruction = saturateOnLattice(<i64>sample + error, load<i32>(config, CHANNEL_SPACING));
    }
    kept += min<u32>(size, LARGEST_COUNTED) << (8 - ACTIVITY_RATE_BITS);
  }
  store<u32>(channel, kept, LITE_ACTIVITY);
  store<i32>(channel, reconstruction, LAST);

  let move = (reconstruction - last) >> unitBits;
  if (<u32>((move >> MOVE_BITS) + 1) > 1) move = (move >> 31) ^ ((1 << MOVE_BITS) - 1);
  store<i32>(channel, move, LITE_MOVES);
  store<i32>(channel, x0, LITE_MOVES + 4);
  store<i32>(channel, x1, LITE_MOVES + 8);
  store<i32>(channel, x2, LITE_MOVES + 12);
  if (isNotZero || !isSparse) {
    const miss = move - foreseen;
    const size = move < 0 ? -move : move;
    const more = size - (size >> HOLD_BITS) - (miss < 0 ? -miss : miss);
    store<i32>(channel, excess + (((more << EXCESS_BITS) - excess) >> EXCESS_RATE_BITS), LITE_EXCESS);
    if (miss) {
      if (x0) store<i32>(channel, learned(w0, x0 ^ miss), LITE_WEIGHTS);
      if (x1) store<i32>(channel, learned(w1, x1 ^ miss), LITE_WEIGHTS + 4);
      if (x2) store<i32>(channel, learned(w2, x2 ^ miss), LITE_WEIGHTS + 8);
      if (x3) store<i32>(channel, learned(w3, x3 ^ miss), LITE_WEIGHTS + 12);
    }
  }
  return isNotZero;
}

/** A weight a step on. @param sign  below 0 where it was too large */
function learned(weight: i32, sign: i32): i32 {
  sign >>= 31;
  return weight - (weight >> WEIGHT_LEAK_BITS) + (sign ^ WEIGHT_STEP) - sign;
}

/** The prediction after a move: on the lattice, or the last reconstruction where the nearest point is outside int32. */
function foresee(config: usize, last: i32, move: i32): i32 {
  const spacing = load<u32>(config, CHANNEL_SPACING);
  if (spacing == 1) return last + move;
  const far = move < 0 ? -(<u32>move) : <u32>move;
  const points = <i32>((far + (spacing >> 1)) / spacing * spacing);
  const prediction = move < 0 ? last - points : last + points;
  return prediction < last == move < 0 ? prediction : last;
}

/** What a decoder makes of a code; it refuses one that no encoder has for what it stands for. */
function reconstruct(config: usize, prediction: i32, size: u32, isNegative: bool, inward: u32): i32 {
  const offset = <i64>size * load<u32>(config, CHANNEL_STEP) - inward;
  const wide = isNegative ? prediction - offset : prediction + offset;
  const bound = <i64>load<u32>(config, CHANNEL_BOUND);
  if (<u64>(wide - saturate(wide) + bound) > <u64>(2 * bound)) refuseLite();
  return saturateOnLattice(wide, load<i32>(config, CHANNEL_SPACING));
}
