import { frameBegin, frameEnd, frameSample } from "./codec";
import { widestBytes } from "./layout";
import { channelCount, frameSamples, openSamples, ringAt } from "./link-state";
import {
  align,
  copyState,
  EFFORT_GREEDY,
  EFFORT_PROGRAMME,
  encodeFrame,
  frameHasLines,
  lookaheadBytes,
} from "./lookahead";
import { STATUS_LINK_CONFIG } from "./status";

/**
 * What the link of a device with memory to spare does when a frame closes: it encodes the frame once more, with a view
 * of all its samples. Until then the frame is built in place as ever, which decides when it is full and is what a
 * crash leaves; so nothing else about the link changes, but for smaller frames.
 *
 *     start   the state at the frame's beginning
 *     kept    i32 (frame samples, channels): its samples so far
 *     work    scratch of the encoder
 *
 * A module whose entry does not export `linkLookahead`, as `device.wasm`, has none of this: `start` is always 0 there.
 */
let start: usize = 0;
let kept: usize = 0;
let work: usize = 0;
let effortTaken: i32 = 0;

function keptBytes(): i32 {
  return align(<i32>(4 * channelCount * frameSamples));
}

/** Bytes that a lookahead takes, for what `linkBegin` configured; 0 for an effort that there is none of. */
export function linkLookaheadBytes(effort: i32): i32 {
  if (effort != EFFORT_GREEDY && effort != EFFORT_PROGRAMME) return 0;
  const channels = <i32>channelCount;
  return align(widestBytes(channels)) + keptBytes() + lookaheadBytes(<i32>frameSamples, channels, effort);
}

/** Another configuration begins, for which no memory was lent. */
export function stopLookahead(): void {
  start = 0;
}

/**
 * Look ahead from the next frame on. Called after `linkBegin`, before the link opens.
 *
 * @param at  8-byte aligned, of linkLookaheadBytes(effort) bytes that are the link's from now on; 0 to stop
 * @param effort  1 longest lines, 2 cheapest lines
 * @returns 0, or STATUS_LINK_CONFIG: once the link is open, or for an effort that there is none of
 */
export function linkLookahead(at: usize, effort: i32): i32 {
  if (ringAt != 0) return STATUS_LINK_CONFIG;
  stopLookahead();
  if (at == 0) return 0;
  if (at & 7 || linkLookaheadBytes(effort) == 0) return STATUS_LINK_CONFIG;
  start = at;
  kept = at + <usize>align(widestBytes(<i32>channelCount));
  work = kept + <usize>keptBytes();
  effortTaken = effort;
  return 0;
}

/** Is there a lookahead to keep rows for? */
export function isKeeping(): bool {
  return start != 0;
}

/** A frame begins. */
export function beginKeeping(cfg: usize, st: usize): void {
  if (start != 0) copyState(cfg, st, start);
}

/** Where the kept samples of a row of the frame are. */
function keptRow(row: u32): usize {
  return kept + ((<usize>channelCount) << 2) * <usize>row;
}

/** A row goes into it, behind those that it has. */
export function keepRow(samples: usize): void {
  const bytes = (<usize>channelCount) << 2;
  const at = keptRow(openSamples);
  for (let i: usize = 0; i < bytes; i += 4) store<i32>(at + i, load<i32>(samples + i));
}

/** Encode the frame in hand once more. @returns payload bytes */
export function encodeKept(cfg: usize, st: usize, out: usize, capacity: i32): i32 {
  copyState(cfg, start, st);
  const bytes = encodeFrame(cfg, st, kept, <i32>openSamples, effortTaken, out, capacity, work);
  if (bytes >= 0) return bytes;
  // Lines that outgrow the room that the plain frame fits: as it was
  frameBegin(cfg, st, false, out, capacity);
  for (let row: u32 = 0; row < openSamples; row++) frameSample(cfg, st, keptRow(row), 0);
  return frameEnd(cfg, st);
}

/** Does the frame that was encoded last have lines? */
export function keptHasLines(cfg: usize, st: usize): bool {
  return start != 0 && frameHasLines(cfg, st);
}
