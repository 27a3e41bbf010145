import { InvariantError } from "../invariant-error.ts";
import type { StoredFrame } from "./store.ts";

/**
 * Put the frames of a stretch one behind the other: for each the seqs skipped before it and its length, as LEB128, then
 * its bytes as received.
 *
 * @param from  seq that skipping is counted from
 * @param frames  in order of seq
 */
export function packFrames(from: number, frames: readonly StoredFrame[]): Uint8Array {
  const packed: number[] = [];
  let next = from;
  for (const { seq, bytes } of frames) {
    writeCount(packed, seq - next);
    writeCount(packed, bytes.length);
    for (const byte of bytes) packed.push(byte);
    next = seq + 1;
  }
  return Uint8Array.from(packed);
}

/** Mirrors `packFrames`. @throws {InvariantError} when the bytes are damaged; what was before was given */
export function* unpackFrames(from: number, packed: Uint8Array): Generator<StoredFrame> {
  let next = from;
  for (let at = 0; at < packed.length; ) {
    const skipped = readCount(packed, at);
    const length = readCount(packed, skipped.end);
    const seq = next + skipped.count;
    const end = length.end + length.count;
    if (end > packed.length)
      throw new InvariantError(`pack: frame of ${length.count} bytes at ${at} of ${packed.length}`);
    yield { seq, bytes: packed.subarray(length.end, end) };
    next = seq + 1;
    at = end;
  }
}

/** A row of more bytes than this leaves as many on its own page, and the rest fills pages of their own. */
const LEAST_ON_PAGE = 489;
/** Of a page of 4,096 bytes, where a row's rest lies. @see https://sqlite.org/fileformat.html, section 1.6 */
const ROOM_OF_PAGE = 4_092;
/** What a frame costs beside its bytes, mostly. */
const FRAME_HEAD = 2;
/** A codec state is noise for the most part. */
const PACKED_STATE = 0.83;
const SLACK_BYTES = 96;

/**
 * Whether a pack that ended here would fill its pages: one that does not leaves half a page empty, which for some ten
 * kilobytes is much.
 *
 * @param stateBytes  of the snapshot before its first frame, as given to the store
 * @param lastBytes  of its last frame
 */
export function fillsPages(stateBytes: number, frames: number, frameBytes: number, lastBytes: number): boolean {
  const bytes = PACKED_STATE * stateBytes + frameBytes + FRAME_HEAD * frames;
  return (
    bytes > LEAST_ON_PAGE && (bytes - LEAST_ON_PAGE) % ROOM_OF_PAGE < Math.max(SLACK_BYTES, lastBytes + FRAME_HEAD)
  );
}

function writeCount(packed: number[], count: number): void {
  let left = count;
  for (; left >= 128; left = Math.floor(left / 128)) packed.push(128 + (left % 128));
  packed.push(left);
}

function readCount(packed: Uint8Array, from: number): { readonly count: number; readonly end: number } {
  let count = 0;
  for (let at = from, factor = 1; at < packed.length && at < from + 6; at++, factor *= 128) {
    const byte = packed[at] ?? 0;
    count += (byte % 128) * factor;
    if (byte < 128) return { count, end: at + 1 };
  }
  throw new InvariantError(`pack: no count at byte ${from} of ${packed.length}`);
}
