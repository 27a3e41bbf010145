import { decodeRow, frameSample, replayQuietRow } from "./codec";
import { CONFIG_CHANNELS } from "./layout";

/** Many rows in one call, for hosts: samples are (count, C) row-major i32, statuses (count, C) u8 or address 0. */

function rowSamples(cfg: usize, samples: usize, row: i32): usize {
  return samples + ((<usize>load<u8>(cfg, CONFIG_CHANNELS)) << 2) * <usize>row;
}

function rowStatuses(cfg: usize, statuses: usize, row: i32): usize {
  return statuses ? statuses + <usize>load<u8>(cfg, CONFIG_CHANNELS) * <usize>row : 0;
}

/** Encode rows until one is refused. @returns rows encoded; if the very first is refused, its negative status */
export function encodeRows(cfg: usize, st: usize, samples: usize, statuses: usize, count: i32): i32 {
  for (let row = 0; row < count; row++) {
    const refusal = frameSample(cfg, st, rowSamples(cfg, samples, row), rowStatuses(cfg, statuses, row));
    if (refusal < 0) return row > 0 ? row : refusal;
  }
  return count;
}

/** Decode rows. @returns `count`, or STATUS_CORRUPT or STATUS_NO_BASE */
export function decodeRows(cfg: usize, st: usize, samples: usize, statuses: usize, count: i32): i32 {
  for (let row = 0; row < count; row++) {
    const refusal = decodeRow(cfg, st, rowSamples(cfg, samples, row), rowStatuses(cfg, statuses, row));
    if (refusal < 0) return refusal;
  }
  return count;
}

/** Replay quiet rows. @returns `count`, or STATUS_NO_BASE */
export function replayQuietRows(cfg: usize, st: usize, samples: usize, count: i32): i32 {
  for (let row = 0; row < count; row++) {
    const refusal = replayQuietRow(cfg, st, rowSamples(cfg, samples, row));
    if (refusal < 0) return refusal;
  }
  return count;
}
