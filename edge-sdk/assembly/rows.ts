import { frameSample } from "./codec";
import { CONFIG_CHANNELS, coderOf } from "./layout";
import { readRow } from "./lite-read";
import { IS_LITE } from "./profile";
import { coderBeginAgain, MODE_REPLAY } from "./range-coder";
import { decodeRow } from "./row-coder";

/** Many rows in one call, for hosts: samples are (count, C) row-major i32, statuses (count, C) u8 or address 0. */

/** Encode rows until one is refused. @returns rows encoded; if the very first is refused, its negative status */
export function encodeRows(cfg: usize, st: usize, samples: usize, statuses: usize, count: i32): i32 {
  if (IS_LITE) {
    // What firmware asks for, without what is around it
    if (count == 1) {
      const refusal = frameSample(cfg, st, samples, statuses);
      return refusal < 0 ? refusal : 1;
    }
  }
  const channels = <usize>load<u8>(cfg, CONFIG_CHANNELS);
  for (let row = 0; row < count; row++) {
    const refusal = frameSample(cfg, st, samples, statuses);
    if (refusal < 0) return row > 0 ? row : refusal;
    samples += channels << 2;
    if (statuses) statuses += channels;
  }
  return count;
}

/** Decode rows. @returns `count`, or STATUS_CORRUPT or STATUS_NO_BASE */
export function decodeRows(cfg: usize, st: usize, samples: usize, statuses: usize, count: i32): i32 {
  const channels = <usize>load<u8>(cfg, CONFIG_CHANNELS);
  for (let row = 0; row < count; row++) {
    const refusal = IS_LITE ? readRow(cfg, st, samples, statuses) : decodeRow(cfg, st, samples, statuses);
    if (refusal < 0) return refusal;
    samples += channels << 2;
    if (statuses) statuses += channels;
  }
  return count;
}

/** Replay quiet rows. @returns `count`, or STATUS_NO_BASE */
export function replayQuietRows(cfg: usize, st: usize, samples: usize, count: i32): i32 {
  coderBeginAgain(coderOf(cfg, st), MODE_REPLAY, 0, 0, 0);
  return decodeRows(cfg, st, samples, 0, count);
}
