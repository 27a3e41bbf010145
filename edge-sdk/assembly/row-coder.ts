import { isSparse, learnActivity } from "./activity";
import { hasBase, keepSign, keepStatus, lastStatus } from "./channel-flags";
import { roundShift, saturate } from "./fixed-point";
import { codeBase } from "./keyframe";
import {
  CHANNEL_BOUND,
  CHANNEL_HISTORY_SHIFT,
  CHANNEL_SPACING,
  CHANNEL_STEP,
  CODER_EVENTS,
  CODER_LOUD,
  CODER_MODE,
  CONFIG_CHANNELS,
  channelConfig,
  channelState,
  coderOf,
  flagsOf,
  LAST,
} from "./layout";
import { learnMove, predictMove } from "./predictors";
import { dequantize, quantize, saturateOnLattice, snapToLattice } from "./quantizer";
import { MODE_DECODE, MODE_ENCODE } from "./range-coder";
import { CORRUPT_CODE, codeResidual, codeStatus } from "./residual-code";
import { STATUS_CORRUPT } from "./status";

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
 * @returns 0, or STATUS_CORRUPT from a decoder
 */
export function codeRow(cfg: usize, st: usize, samples: usize, statuses: usize): i32 {
  const coder = coderOf(cfg, st);
  const channels = <i32>load<u8>(cfg, CONFIG_CHANNELS);
  const hasEvents = load<u8>(coder, CODER_EVENTS) != 0;
  let nonZero = 0;
  for (let c = 0; c < channels; c++) {
    const channel = channelState(cfg, st, c);
    const flags = flagsOf(cfg, channel);
    const at = samples + ((<usize>c) << 2);
    const wanted = statuses ? <i32>load<u8>(statuses + c) : SAMPLE_OK;
    const status = hasEvents ? codeStatus(st, coder, lastStatus(flags), wanted) : SAMPLE_OK;
    keepStatus(flags, status);
    if (statuses && load<u8>(coder, CODER_MODE) == MODE_DECODE) store<u8>(statuses + c, <u8>status);
    if (status == SAMPLE_INVALID) {
      keepSample(coder, at, load<i32>(channel, LAST));
    } else if (!hasBase(flags)) {
      codeBase(channel, flags, coder, load<i32>(at));
      keepSample(coder, at, load<i32>(channel, LAST));
      store<u8>(coder, 1, CODER_LOUD);
    } else {
      const code = codeSample(cfg, st, coder, c, nonZero, load<i32>(at));
      if (code == CORRUPT_CODE) return STATUS_CORRUPT;
      keepSample(coder, at, load<i32>(channel, LAST));
      if (code != 0) {
        nonZero++;
        store<u8>(coder, 1, CODER_LOUD);
      }
    }
  }
  return 0;
}

/** Write a reconstruction, unless the caller owns the samples. */
function keepSample(coder: usize, at: usize, reconstruction: i32): void {
  if (load<u8>(coder, CODER_MODE) != MODE_ENCODE) store<i32>(at, reconstruction);
}

/** Code one sample of one channel. @returns its code, or CORRUPT_CODE */
function codeSample(cfg: usize, st: usize, coder: usize, c: i32, nonZeroBefore: i32, sample: i32): i64 {
  const channel = channelState(cfg, st, c);
  const config = channelConfig(cfg, c);
  const step = <i64>load<i32>(config, CHANNEL_STEP);
  const bound = <i64>load<i32>(config, CHANNEL_BOUND);
  const spacing = load<i32>(config, CHANNEL_SPACING);
  const historyShift = <i64>load<i32>(config, CHANNEL_HISTORY_SHIFT);
  const last = load<i32>(channel, LAST);

  // |move| <= 2^28 and D << h <= 2^33: the product stays within 2^61
  const foreseen = predictMove(cfg, st, channel);
  const move = roundShift(<i64>foreseen * (step << historyShift), 8);
  const prediction = snapToLattice(saturate(last + move), last, spacing);
  const sparse = isSparse(channel);
  const flags = flagsOf(cfg, channel);
  const isEncoder = load<u8>(coder, CODER_MODE) == MODE_ENCODE;
  const wanted = isEncoder ? quantize(<i64>sample - prediction, step, bound, sparse) : 0;

  const code = codeResidual(cfg, st, coder, channel, flags, c, nonZeroBefore, foreseen, <i32>historyShift, wanted);
  if (code == CORRUPT_CODE) return code;
  const offset = dequantize(code, step, bound, sparse);
  const reconstruction = saturateOnLattice(prediction + offset, spacing);
  store<i32>(channel, reconstruction, LAST);
  learnMove(cfg, st, channel, <i64>reconstruction - last, step, historyShift);
  learnActivity(channel, flags, <u64>(code < 0 ? -code : code));
  keepSign(flags, code);
  return code;
}
