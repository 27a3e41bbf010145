import { hasBase } from "./channel-flags";
import { hashBytes } from "./hash";
import { resetState } from "./keyframe";
import {
  CHANNEL_SPACING,
  CODER_BLOCK_ROWS,
  CODER_END,
  CODER_FLAGS,
  CODER_LOUD,
  CODER_POSITION,
  CODER_ROWS,
  CONFIG_CHANNELS,
  channelConfig,
  channelState,
  coderOf,
  FLUSH_BYTES,
  FRAME_EVENTS,
  FRAME_LINES,
  flagsOf,
  LAST,
  MAX_CHANNEL_BYTES,
} from "./layout";
import { flushLite, verifyLite } from "./lite-coder";
import { resetLiteState } from "./lite-model";
import { readRow } from "./lite-read";
import { writeRow } from "./lite-write";
import { IS_LITE } from "./profile";
import { isOnLattice } from "./quantizer";
import {
  coderBegin,
  coderBeginAgain,
  coderFlush,
  coderVerify,
  MODE_DECODE,
  MODE_REPLAY,
  runningCoder,
} from "./range-coder";
import { decodeRow, encodeRow, SAMPLE_INVALID, SAMPLE_OK, SAMPLE_SATURATED } from "./row-coder";
import {
  STATUS_CORRUPT,
  STATUS_EVENT_IN_PLAIN_FRAME,
  STATUS_OFF_LATTICE,
  STATUS_OUTPUT_FULL,
  STATUS_SAMPLE_STATUS,
} from "./status";

/**
 * Frames of the codec. `cfg` is a block filled by channel-config.ts, `st` a block of configuredBytes(cfg), 4-byte
 * aligned. Encoder and decoder advance the same state; models are not reset between frames.
 */

/** Make a state cold, on both ends, before the first frame and at every keyframe. */
export function codecReset(cfg: usize, st: usize): void {
  if (IS_LITE) resetLiteState(cfg, st);
  else resetState(cfg, st);
}

/**
 * Begin to encode a frame.
 *
 * @param hasEvents  whether statuses are coded; if not, every sample must be ok
 * @param out  caller-owned, written from here on
 * @param capacity  bytes that may be written
 */
export function frameBegin(cfg: usize, st: usize, hasEvents: bool, out: usize, capacity: i32): void {
  coderBegin(coderOf(cfg, st), hasEvents ? FRAME_EVENTS : 0, out, capacity);
}

/**
 * Encode one sample of every channel.
 *
 * @param samples  i32[C], sample units; the value of an invalid sample is not looked at
 * @param statuses  u8[C]: 0 ok, 1 invalid, 2 saturated; address 0 stands for all ok
 * @returns 0, or a negative status with nothing changed: STATUS_OUTPUT_FULL, STATUS_SAMPLE_STATUS,
 *          STATUS_EVENT_IN_PLAIN_FRAME, STATUS_OFF_LATTICE
 */
export function frameSample(cfg: usize, st: usize, samples: usize, statuses: usize): i32 {
  if (IS_LITE) return writeRow(cfg, st, samples, statuses);
  const coder = runningCoder(cfg, st);
  const channels = <i32>load<u8>(cfg, CONFIG_CHANNELS);
  const room = <i64>load<u32>(coder, CODER_END) - load<u32>(coder, CODER_POSITION);
  if (room < channels * MAX_CHANNEL_BYTES + FLUSH_BYTES) return STATUS_OUTPUT_FULL;
  const hasEvents = load<u8>(coder, CODER_FLAGS) != 0;
  for (let c = 0; c < channels; c++) {
    const status = statuses ? <i32>load<u8>(statuses + c) : SAMPLE_OK;
    if (status > SAMPLE_SATURATED) return STATUS_SAMPLE_STATUS;
    if (status != SAMPLE_OK && !hasEvents) return STATUS_EVENT_IN_PLAIN_FRAME;
    const spacing = load<i32>(channelConfig(cfg, c), CHANNEL_SPACING);
    const channel = channelState(cfg, st, c);
    if (spacing == 1 || status == SAMPLE_INVALID || !hasBase(flagsOf(cfg, channel))) continue;
    if (!isOnLattice(load<i32>(samples + ((<usize>c) << 2)), load<i32>(channel, LAST), spacing))
      return STATUS_OFF_LATTICE;
  }
  encodeRow(cfg, st, samples, statuses);
  return 0;
}

/** End an encoded frame. @returns payload bytes; none when it is quiet, so that its decoder replays its rows */
export function frameEnd(cfg: usize, st: usize): i32 {
  return IS_LITE ? flushLite(coderOf(cfg, st)) : coderFlush(runningCoder(cfg, st));
}

/** Did the frame so far hold nothing but zero residuals: no base, no events, no line's end? It may be left out. */
export function frameIsQuiet(cfg: usize, st: usize): bool {
  return load<u8>(runningCoder(cfg, st), CODER_LOUD) == 0;
}

/**
 * Begin to decode a frame; without bytes it is quiet, and past their end the decoder reads zeros.
 *
 * @param flags  FRAME_EVENTS, FRAME_LINES or 0
 * @param rows   rows that will be decoded; what is coded depends on it in a frame with lines alone
 * @returns 0, or STATUS_CORRUPT for flags that no frame of this length has
 */
export function decodeBegin(cfg: usize, st: usize, flags: u32, rows: u32, input: usize, length: i32): i32 {
  const coder = coderOf(cfg, st);
  if (flags > (IS_LITE ? FRAME_EVENTS : FRAME_LINES) || (flags && length <= 0)) return STATUS_CORRUPT;
  coderBeginAgain(coder, length > 0 ? MODE_DECODE : MODE_REPLAY, flags, input, length);
  store<u32>(coder, rows, CODER_ROWS);
  store<u32>(coder, 0, CODER_BLOCK_ROWS);
  return 0;
}

/** End a decoded frame. @returns 0, or STATUS_NOT_CANONICAL when no encoder wrote these bytes for these rows */
export function decodeEnd(cfg: usize, st: usize): i32 {
  return IS_LITE ? verifyLite(coderOf(cfg, st)) : coderVerify(coderOf(cfg, st));
}

/**
 * Advance by a row that was not sent: a channel whose line is open goes on along it, any other has a zero residual.
 *
 * @param samples  i32[C], overwritten
 * @returns 0, or STATUS_NO_BASE: the state is then worthless
 */
export function replayQuietRow(cfg: usize, st: usize, samples: usize): i32 {
  coderBeginAgain(coderOf(cfg, st), MODE_REPLAY, 0, 0, 0);
  return IS_LITE ? readRow(cfg, st, samples, 0) : decodeRow(cfg, st, samples, 0);
}

/** Hash of what both ends share: equal states, equal hashes. */
export function stateHash(cfg: usize, st: usize): u32 {
  return hashBytes(0, st, <i32>(coderOf(cfg, st) - st));
}
