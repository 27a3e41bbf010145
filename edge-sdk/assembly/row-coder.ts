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
  coderOf,
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
import { MODE_ENCODE, MODE_REPLAY } from "./range-coder";
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
 * Code one row in the coder's mode.
 *
 * @param samples  i32[C]; read by an encoder, written otherwise
 * @param statuses  u8[C], or 0 for "all ok" or "not wanted"
 * @returns 0, or STATUS_CORRUPT from a decoder, or STATUS_NO_BASE from a replay; the state is then worthless
 */
export function codeRow(cfg: usize, st: usize, samples: usize, statuses: usize): i32 {
  const channels = <i32>load<u8>(cfg, CONFIG_CHANNELS);
  if (!beginRow(cfg, st)) return STATUS_CORRUPT;
  let nonZero = 0;
  for (let c = 0; c < channels; c++) {
    const coded = codeChannel(cfg, st, c, nonZero, samples, statuses);
    if (coded < 0) return coded;
    nonZero += coded;
  }
  return 0;
}

/** Begin a row, before its channels in their order. @returns false where no encoder wrote this */
export function beginRow(cfg: usize, st: usize): bool {
  const coder = coderOf(cfg, st);
  store<u16>(st, <u16>min<i32>(<i32>load<u16>(st, ROWS) + 1, ROWS_LIMIT), ROWS);
  return load<u8>(coder, CODER_FLAGS) != FRAME_LINES || beginLineRow(cfg, st, coder);
}

/**
 * Code channel c of a row.
 *
 * @param nonZeroBefore  channels before it in the row whose codes are not 0
 * @returns 1 when its code is not 0, 0 when there is none or it is, or a negative status as of codeRow
 */
export function codeChannel(cfg: usize, st: usize, c: i32, nonZeroBefore: i32, samples: usize, statuses: usize): i32 {
  const coder = coderOf(cfg, st);
  const frame = load<u8>(coder, CODER_FLAGS);
  const isReplay = load<u8>(coder, CODER_MODE) == MODE_REPLAY;
  const channel = channelState(cfg, st, c);
  const flags = flagsOf(cfg, channel);
  const at = samples + ((<usize>c) << 2);
  const wanted = statuses ? <i32>load<u8>(statuses + c) : SAMPLE_OK;
  const status = frame == FRAME_EVENTS ? codeStatus(st, coder, lastStatus(flags), wanted) : SAMPLE_OK;
  keepStatus(flags, status);
  if (statuses && load<u8>(coder, CODER_MODE) != MODE_ENCODE) store<u8>(statuses + c, <u8>status);
  const line = lineOf(flags);
  const isLine = frame == FRAME_LINES ? isLineMode(line) : isReplay && isOnLine(line);
  if (!isLine) closeLine(line, coder);
  let isNonZero = 0;
  if (status != SAMPLE_INVALID) {
    if (!hasBase(flags)) {
      if (isReplay) return STATUS_NO_BASE;
      if (!codeBase(st, channelConfig(cfg, c), channel, flags, coder, load<i32>(at))) return STATUS_CORRUPT;
      store<u8>(coder, 1, CODER_LOUD);
    } else if (isLine) {
      if (!codeLineSample(cfg, st, coder, c)) return STATUS_CORRUPT;
    } else {
      const code = codeSample(cfg, st, coder, c, nonZeroBefore, load<i32>(at));
      if (code == CORRUPT_CODE) return STATUS_CORRUPT;
      isNonZero = i32(code != 0);
      if (isNonZero) store<u8>(coder, 1, CODER_LOUD);
    }
  }
  if (load<u8>(coder, CODER_MODE) != MODE_ENCODE) store<i32>(at, load<i32>(channel, LAST));
  return isNonZero;
}

/** Code one sample of one channel. @returns its code, or CORRUPT_CODE */
function codeSample(cfg: usize, st: usize, coder: usize, c: i32, nonZeroBefore: i32, sample: i32): i64 {
  const channel = channelState(cfg, st, c);
  const config = channelConfig(cfg, c);
  const step = <i64>load<i32>(config, CHANNEL_STEP);
  const bound = <i64>load<i32>(config, CHANNEL_BOUND);
  const spacing = load<i32>(config, CHANNEL_SPACING);
  const historyShift = load<i32>(config, CHANNEL_HISTORY_SHIFT);
  const historyStep = step << historyShift;
  const last = load<i32>(channel, LAST);

  // |move| <= 2^17 and D << h <= 2^33: the product stays within 2^50
  const foreseen = predictMove(cfg, st, channel, historyShift);
  const move = roundShift(<i64>foreseen * historyStep, 8);
  const prediction = snapToLattice(saturate(last + move), last, spacing);
  const sparse = isSparse(channel);
  const flags = flagsOf(cfg, channel);
  const isEncoder = load<u8>(coder, CODER_MODE) == MODE_ENCODE;
  const wanted = isEncoder ? quantize(<i64>sample - prediction, step, bound, sparse) : 0;

  const code = codeResidual(cfg, st, coder, channel, flags, c, nonZeroBefore, foreseen, historyShift, wanted);
  if (code == CORRUPT_CODE) return code;
  const wide = prediction + dequantize(code, step, bound, sparse);
  const reconstruction = saturateOnLattice(wide, spacing);
  // A sample lies within the bound of what is coded for it
  if (<u64>(wide - saturate(wide) + bound) > <u64>(2 * bound)) return CORRUPT_CODE;
  store<i32>(channel, reconstruction, LAST);
  learnMove(cfg, st, channel, <i64>reconstruction - last, historyStep, historyShift, sparse && code == 0);
  learnActivity(channel, flags, <u64>(code < 0 ? -code : code));
  keepSign(flags, code);
  return code;
}
