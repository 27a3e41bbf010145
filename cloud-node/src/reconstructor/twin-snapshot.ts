import type { TwinCounts } from "./twin.ts";

/** A twin's whole state between two frames. */
export interface TwinSnapshot {
  readonly birthHash: string;
  readonly lattices: number;
  readonly segmentTimeUs: number;
  readonly segmentRows: number;
  readonly counts: TwinCounts;
  /** The codec's state block; empty where a keyframe comes next. */
  readonly state: Uint8Array;
}

/** Layout version, the first byte. Snapshots of another one are ignored: the frames say the same. */
const VERSION = 1;
const NUMBERS = 7;
const HASH_AT = 1;
const HASH_BYTES = 8;
const NUMBERS_AT = HASH_AT + HASH_BYTES;
const STATE_AT = NUMBERS_AT + NUMBERS * Float64Array.BYTES_PER_ELEMENT;

/**
 * Write a snapshot.
 *
 *     0  version u8
 *     1  birth hash, 8 bytes
 *     9  lattices, segment time µs, segment rows, samples, lost, invalid, saturated: float64 little-endian
 *     65 codec state
 */
export function packSnapshot({
  birthHash,
  lattices,
  segmentTimeUs,
  segmentRows,
  counts,
  state,
}: TwinSnapshot): Uint8Array {
  const bytes = new Uint8Array(STATE_AT + state.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  bytes.set(Buffer.from(birthHash, "hex"), HASH_AT);
  const { samples, lost, invalid, saturated } = counts;
  for (const [i, number] of [lattices, segmentTimeUs, segmentRows, samples, lost, invalid, saturated].entries()) {
    view.setFloat64(NUMBERS_AT + 8 * i, number, true);
  }
  bytes.set(state, STATE_AT);
  return bytes;
}

/** Mirrors `packSnapshot`. @returns undefined for another version's */
export function unpackSnapshot(bytes: Uint8Array): TwinSnapshot | undefined {
  if (bytes.length < STATE_AT || bytes[0] !== VERSION) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const number = (i: number) => view.getFloat64(NUMBERS_AT + 8 * i, true);
  return {
    birthHash: Buffer.from(bytes.subarray(HASH_AT, NUMBERS_AT)).toString("hex"),
    lattices: number(0),
    segmentTimeUs: number(1),
    segmentRows: number(2),
    counts: { samples: number(3), lost: number(4), invalid: number(5), saturated: number(6) },
    state: bytes.slice(STATE_AT),
  };
}
