/**
 * What a ring's bytes say, read by the table in edge-sdk/assembly/ring.ts and by nothing of the code under test.
 */

/** A frame that waits in a ring. */
export interface RingFrame {
  /** 0: of the running boot, which was granted none yet. */
  readonly epoch: number;
  readonly seq: number;
  /** All of it that does not depend on where it lies and how it is called. */
  readonly content: string;
}

/** A ring, whole. */
export interface RingContent {
  readonly frames: readonly RingFrame[];
  /** Granted to the running boot, 0 until then. */
  readonly granted: number;
  /** That one, or the one wished for. */
  readonly wished: number;
}

const HEADER_BYTES = 48;
const RECORDS_AT = 2 * HEADER_BYTES;
const KEYFRAME = 1;

/** Read a ring. Throws a RangeError where it does not hold `count` frames one after the other. */
export function readRing(image: Uint8Array, count: number): RingContent {
  const ring = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  const newest = (ring.readUInt32LE(HEADER_BYTES + 4) - ring.readUInt32LE(4)) | 0;
  const header = ring.subarray(newest > 0 && ring.readUInt32LE(HEADER_BYTES) !== 0 ? HEADER_BYTES : 0);
  const granted = header.readUInt32LE(8);
  const capacity = header.readUInt32LE(20);
  let at = header.readUInt32LE(24);
  let epoch = header.readUInt32LE(32);
  let seq = header.readUInt32LE(36);
  const frames: RingFrame[] = [];
  while (frames.length < count) {
    if (at === capacity || ring.readUInt16LE(RECORDS_AT + at) === 0) at = 0;
    const size = ring.readUInt16LE(RECORDS_AT + at);
    if (size < 20 || at + size > capacity) throw new RangeError(`no record at ${at}: ${size} bytes`);
    const record = ring.subarray(RECORDS_AT + at, RECORDS_AT + at + size);
    const isKeyframe = record[2] === KEYFRAME;
    if (isKeyframe) {
      epoch = record.readUInt32LE(28);
      seq = record.readUInt32LE(32);
    }
    const named = [record.subarray(0, 4), record.subarray(8, isKeyframe ? 28 : size)];
    const rest = isKeyframe ? [record.subarray(40)] : [];
    frames.push({
      epoch: epoch === 0 ? granted : epoch,
      seq,
      content: Buffer.concat([...named, ...rest]).toString("hex"),
    });
    at += size;
    seq += 1;
  }
  return { frames, granted, wished: header.readUInt32LE(40) };
}
