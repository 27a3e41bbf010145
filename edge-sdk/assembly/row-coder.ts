import { isSparse, learnActivity } from "./activity";
import { hasBase, keepSign, keepStatus, lastStatus } from "./channel-flags";
import { roundShift, saturate } from "./fixed-point";
import { codeBase } from "./keyframe";
import {
  CHANNEL_BOUND,
  CHANNEL_HISTORY_SHIFT,
  CHANNEL_SPACING,
  CHANNEL_STEP,
  CODER_FLAGS,
  CODER_LOUD,
  CODER_MODE,
  CONFIG_CHANNELS,
  channelConfig,
  channelState,
  extraBits,
  FRAME_EVENTS,
  FRAME_LINES,
  flagsOf,
  LAST,
  ROWS,
  ROWS_LIMIT,
} from "./layout";
import { beginLineRow, closeLine, codeLineSample, isLineMode, isOnLine, lineOf } from "./lines";
import { learnMove, predictMove } from "./predictors";
import { dequantize, quantize, saturateOnLattice, snapToLattice } from "./quantizer";
import { decodes, MODE_ENCODE, MODE_REPLAY, runningCoder } from "./range-coder";
import { CORRUPT_CODE, codeResidual, codeStatus } from "./residual-code";
import { STATUS_CORRUPT, STATUS_NO_BASE } from "./status";

/**
 * One row: a sample of every channel through predict, residual, quantize, code, reconstruct and learn. The same steps
 * run on both ends; an encoder only knows the sample beforehand, and a decoder only afterwards.
 */

/** Sample statuses. An invalid sample leaves its channel as it was; a saturated one is coded like any other. */
export const SAMPLE_OK: i32 = 0;
export const SAMPLE_INVALID: i32 = 1;
export const SAMPLE_SATURATED: i32 = 2;

/**
 * Decode one row, or replay a quiet one.
 *
 * @param samples  i32[C], overwritten
 * @param statuses  u8[C], overwritten; 0 for "not wanted"
 * @returns 0, or STATUS_CORRUPT from a decoder, or STATUS_NO_BASE from a replay; the state is then worthless
 */
export function decodeRow(cfg: usize, st: usize, samples: usize, statuses: usize): i32 {
  const channels = <i32>load<u8>(cfg, CONFIG_CHANNELS);
  if (!beginRow(cfg, st)) return STATUS_CORRUPT;
  let nonZero = 0;
  for (let c = 0; c < channels; c++) {
    const coded = codeChannel(cfg, st, c, nonZero, samples, 0);
    if (coded < 0) return coded;
    nonZero += coded;
    const channel = channelState(cfg, st, c);
    store<i32>(samples + ((<usize>c) << 2), load<i32>(channel, LAST));
    if (statuses) store<u8>(statuses + c, <u8>lastStatus(flagsOf(cfg, channel)));
  }
  return 0;
}

/**
 * Encode one row of a frame without lines: all of the codec that firmware needs for rows, apart from the decoder, so that
 * a linker can leave that out.
 *
 * @param samples  i32[C]
 * @param statuses  u8[C], or 0 for "all ok"
 */
export function encodeRow(cfg: usize, st: usize, samples: usize, statuses: usize): void {
  const channels = <i32>load<u8>(cfg, CONFIG_CHANNELS);
  countRow(st);
  let nonZero = 0;
  for (let c = 0; c < channels; c++) {
    closeLine(lineOf(flagsOf(cfg, channelState(cfg, st, c))), runningCoder(cfg, st));
    nonZero += codeFreely(cfg, st, c, nonZero, samples, statuses);
  }
}

function countRow(st: usize): void {
  store<u16>(st, <u16>min<i32>(<i32>load<u16>(st, ROWS) + 1, ROWS_LIMIT), ROWS);
}

/** Begin a row, before its channels in their order. @returns false where no encoder wrote this */
export function beginRow(cfg: usize, st: usize): bool {
  const coder = runningCoder(cfg, st);
  countRow(st);
  return load<u8>(coder, CODER_FLAGS) != FRAME_LINES || beginLineRow(cfg, st, coder);
}

/**
 * Code channel c of a row in the coder's mode.
 *
 * @param nonZeroBefore  channels before it in the row whose codes are not 0
 * @param samples  i32[C], read by an encoder
 * @param statuses  u8[C], read by an encoder; 0 for "all ok"
 * @returns 1 when its code is not 0, 0 when there is none or it is, or a negative status as of decodeRow
 */
export function codeChannel(cfg: usize, st: usize, c: i32, nonZeroBefore: i32, samples: usize, statuses: usize): i32 {
  const coder = runningCoder(cfg, st);
  const flags = flagsOf(cfg, channelState(cfg, st, c));
  const line = lineOf(flags);
  const isReplay = load<u8>(coder, CODER_MODE) == MODE_REPLAY;
  const isLine = load<u8>(coder, CODER_FLAGS) == FRAME_LINES ? isLineMode(line) : isReplay && isOnLine(line);
  if (!isLine) closeLine(line, coder);
  if (isReplay && !hasBase(flags)) return STATUS_NO_BASE;
  if (!isLine || !hasBase(flags)) return codeFreely(cfg, st, c, nonZeroBefore, samples, statuses);
  keepStatus(flags, SAMPLE_OK);
  return codeLineSample(cfg, st, coder, c) ? 0 : STATUS_CORRUPT;
}

/** Code channel c where it is on no line. @returns as codeChannel */
function codeFreely(cfg: usize, st: usize, c: i32, nonZeroBefore: i32, samples: usize, statuses: usize): i32 {
  const coder = runningCoder(cfg, st);
  const channel = channelState(cfg, st, c);
  const flags = flagsOf(cfg, channel);
  const sample = load<i32>(samples + ((<usize>c) << 2));
  let status = SAMPLE_OK;
  if (load<u8>(coder, CODER_FLAGS) == FRAME_EVENTS) {
    status = codeStatus(st, coder, lastStatus(flags), statuses ? <i32>load<u8>(statuses + c) : SAMPLE_OK);
  }
  keepStatus(flags, status);
  if (status == SAMPLE_INVALID) return 0;
  const isFirst = !hasBase(flags);
  let isLoud = isFirst;
  if (isFirst) {
    if (!codeBase(st, channelConfig(cfg, c), channel, flags, coder, sample)) return STATUS_CORRUPT;
  } else {
    const code = codeSample(cfg, st, coder, c, nonZeroBefore, sample);
    if (decodes & u32(code == CORRUPT_CODE)) return STATUS_CORRUPT;
    isLoud = code != 0;
  }
  if (isLoud) store<u8>(coder, 1, CODER_LOUD);
  return i32(isLoud && !isFirst);
}

/** Code one sample of one channel. @returns its code, or CORRUPT_CODE */
function codeSample(cfg: usize, st: usize, coder: usize, c: i32, nonZeroBefore: i32, sample: i32): i64 {
  const channel = channelState(cfg, st, c);
  const config = channelConfig(cfg, c);
  const step = <i64>load<i32>(config, CHANNEL_STEP);
  const bound = <i64>load<i32>(config, CHANNEL_BOUND);
  const spacing = load<i32>(config, CHANNEL_SPACING);
  const historyShift = <i32>load<u8>(config, CHANNEL_HISTORY_SHIFT);
  const historyStep = step * <i64>(1 << historyShift);
  const extra = extraBits(cfg);
  const octaves = historyShift - extra;
  const last = load<i32>(channel, LAST);

  // |move| <= 2^29 and D << h <= 2^33: the product stays within 2^62
  const foreseen = predictMove(cfg, st, channel, octaves);
  const move = roundShift(<i64>foreseen * historyStep, 8 + extra);
  const prediction = snapToLattice(saturate(last + move), last, spacing);
  const sparse = isSparse(channel);
  const flags = flagsOf(cfg, channel);
  const isEncoder = (decodes & u32(load<u8>(coder, CODER_MODE) != MODE_ENCODE)) == 0;
  const wanted = isEncoder ? quantize(<i64>sample - prediction, step, bound, sparse) : 0;

  const code = codeResidual(cfg, st, coder, channel, flags, c, nonZeroBefore, foreseen, octaves, wanted);
  if (decodes & u32(code == CORRUPT_CODE)) return code;
  const wide = prediction + dequantize(code, step, bound, sparse);
  const reconstruction = saturateOnLattice(wide, load<i32>(config, CHANNEL_SPACING));
  // A sample lies within the bound of what is coded for it
  if (decodes & u32(<u64>(wide - saturate(wide) + bound) > <u64>(2 * bound))) return CORRUPT_CODE;
  const moved = <i64>reconstruction - load<i32>(channel, LAST);
  store<i32>(channel, reconstruction, LAST);
  learnMove(cfg, st, channel, moved, historyStep, octaves, sparse && code == 0);
  learnActivity(channel, flags, <u64>(code < 0 ? -code : code));
  keepSign(flags, code);
  return code;
}
