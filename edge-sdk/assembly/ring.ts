/**
 * The ring: frames that the cloud has not confirmed yet, in caller-owned memory that may be kept on disk.
 *
 *     RING + 0     48   header copy 0        the valid copy with the larger generation counts
 *     RING + 48    48   header copy 1
 *     RING + 96    ...  records, each whole (none is split by the end of the memory)
 *
 *     header  0 magic  4 generation  8 epoch, 0 until welcomed  12 birth hash (8)  20 capacity  24 head
 *             28 head index  32 head epoch  36 head seq  40 epoch granted or wished for  44 check
 *     record  0 size u16 (0: go on at the start)  2 kind u8  3 events u8  4 check  8 state hash  12 quiet
 *             16 samples u16  18 payload bytes u16
 *             keyframe: 20 time i64  28 epoch  32 seq  36 index  40 lattices u16     payload at 44
 *             heartbeat: 20 time i64  28 ring fill u16                               no payload
 *             residual:                                                              payload at 20
 *
 * A record's check is seeded with its index, a number that only grows, so that what an earlier lap left behind never
 * passes for a record. Epoch 0 in a keyframe stands for the epoch of the boot that wrote it, which the header names.
 */
import { hashBytes } from "./hash";
import {
  birthHash,
  capacity,
  cursor,
  cursorIndex,
  cursorSeq,
  dirtyFrom,
  dirtyTo,
  epoch,
  generation,
  head,
  headEpoch,
  headIndex,
  headSeq,
  isGranted,
  recordCount,
  ringAt,
  segmentBytes,
  segmentIndex,
  setCursor,
  setCursorEpoch,
  setCursorIndex,
  setCursorSeq,
  setDirtyFrom,
  setDirtyTo,
  setEpoch,
  setGeneration,
  setHead,
  setHeadEpoch,
  setHeaderDirty,
  setHeadIndex,
  setHeadSeq,
  setNextSeq,
  setRecordCount,
  setSegmentBytes,
  setSegmentIndex,
  setSegmentSeq,
  setTail,
  setUsedBytes,
  tail,
  usedBytes,
} from "./link-state";
import { STATUS_RING_EMPTY, STATUS_RING_FOREIGN } from "./status";

/** Kinds of record, numbered as on the wire. */
export const KIND_RESIDUAL: u32 = 0;
export const KIND_KEYFRAME: u32 = 1;
export const KIND_HEARTBEAT: u32 = 2;

export const RECORD_SIZE: usize = 0;
export const RECORD_KIND: usize = 2;
export const RECORD_FLAGS: usize = 3;
const RECORD_CHECK: usize = 4;
export const RECORD_STATE_HASH: usize = 8;
export const RECORD_QUIET: usize = 12;
export const RECORD_SAMPLES: usize = 16;
export const RECORD_PAYLOAD_BYTES: usize = 18;
export const RECORD_TIME: usize = 20;
export const RECORD_RING_FILL: usize = 28;
export const RECORD_EPOCH: usize = 28;
export const RECORD_SEQ: usize = 32;
const RECORD_INDEX: usize = 36;
export const RECORD_LATTICES: usize = 40;

/** Whether the record at an address starts a segment. */
export function isKeyframeRecord(at: usize): bool {
  return load<u8>(at, RECORD_KIND) == KIND_KEYFRAME;
}

/** Bytes before the payload of a record, by kind. */
export function recordHeaderBytes(kind: u32): usize {
  return kind == KIND_KEYFRAME ? 44 : kind == KIND_HEARTBEAT ? 32 : 20;
}

const HEADER_BYTES: usize = 48;
const HEADER_CHECK: usize = 44;
const MAGIC: u32 = 0x3052534c; // "LSR0", the format's version in its last letter
/** Bytes in front of the records. */
export const RING_OVERHEAD: usize = 2 * HEADER_BYTES;

function recordsAt(): usize {
  return ringAt + RING_OVERHEAD;
}

/** Address of the record at an offset. */
export function recordAt(offset: u32): usize {
  return recordsAt() + offset;
}

/** Make the memory an empty ring. */
export function ringFormat(): void {
  setHead(0);
  setHeadIndex(0);
  setTail(0);
  setRecordCount(0);
  setUsedBytes(0);
  setGeneration(0);
  store<u32>(ringAt + HEADER_CHECK, 0);
  store<u32>(ringAt + HEADER_BYTES, 0);
  ringWriteHeader();
}

/** Write the header copy whose turn it is. The other stays whole, whatever happens meanwhile. */
export function ringWriteHeader(): void {
  setGeneration(generation + 1);
  const at = ringAt + (generation & 1 ? HEADER_BYTES : 0);
  store<u32>(at, MAGIC);
  store<u32>(at, generation, 4);
  store<u32>(at, isGranted ? epoch : 0, 8);
  store<u64>(at, birthHash, 12);
  store<u32>(at, capacity, 20);
  store<u32>(at, head, 24);
  store<u32>(at, headIndex, 28);
  store<u32>(at, headEpoch, 32);
  store<u32>(at, headSeq, 36);
  store<u32>(at, epoch, 40);
  store<u32>(at, hashBytes(0, at, <i32>HEADER_CHECK), HEADER_CHECK);
  setHeaderDirty(true);
}

/**
 * Find contiguous room behind the newest record, without dropping anything.
 *
 * @returns its address, or 0 when there is none
 */
export function ringRoom(bytes: u32): usize {
  if (recordCount == 0) {
    if (tail != 0 || head != 0) {
      setHead(0);
      setTail(0);
      setCursor(0);
      ringWriteHeader();
    }
    return bytes <= capacity ? recordsAt() : 0;
  }
  if (tail < head) return head - tail > bytes ? recordAt(tail) : 0;
  if (capacity - tail >= bytes) return recordAt(tail);
  if (head <= bytes) return 0;
  if (tail < capacity) {
    store<u32>(recordAt(tail), 0);
    markDirty(recordAt(tail), 4);
  }
  setTail(0);
  return recordsAt();
}

/** Take the finished record at `at`, which `ringRoom` gave, into the ring. Its fields but size and check are written. */
export function ringAppend(at: usize, bytes: u32, seq: u32): void {
  const index = headIndex + recordCount;
  store<u16>(at, bytes, RECORD_SIZE);
  if (isKeyframeRecord(at)) {
    store<u32>(at, index, RECORD_INDEX);
    setSegmentIndex(index);
    setSegmentSeq(seq);
    setSegmentBytes(0);
  }
  store<u32>(at, recordCheck(at, index), RECORD_CHECK);
  const offset = <u32>(at - recordsAt());
  if (recordCount == 0) {
    setHead(offset);
    setHeadEpoch(0);
    setHeadSeq(seq);
    // The next header must not name the epoch of a boot whose records are all gone.
    ringWriteHeader();
  }
  if (cursorIndex == index) {
    setCursorEpoch(0);
    setCursorSeq(seq);
  }
  setRecordCount(recordCount + 1);
  setTail(offset + bytes);
  setUsedBytes(usedBytes + bytes);
  setSegmentBytes(segmentBytes + bytes);
  markDirty(at, bytes);
}

/** Drop the oldest record; returns the samples that it and the silence before it stood for. */
export function ringPop(): u64 {
  const at = recordAt(head);
  const bytes: u32 = load<u16>(at, RECORD_SIZE);
  const samples = <u64>load<u16>(at, RECORD_SAMPLES) + load<u32>(at, RECORD_QUIET);
  const index = headIndex;
  if (<i32>(index - segmentIndex) >= 0) setSegmentBytes(segmentBytes - bytes);
  setUsedBytes(usedBytes - bytes);
  setRecordCount(recordCount - 1);
  setHeadIndex(index + 1);
  setHeadSeq(headSeq + 1);
  if (recordCount == 0) {
    setHead(tail);
  } else {
    const next = ringResolve(head + bytes);
    setHead(next);
    const record = recordAt(next);
    if (isKeyframeRecord(record)) {
      setHeadEpoch(load<u32>(record, RECORD_EPOCH));
      setHeadSeq(load<u32>(record, RECORD_SEQ));
    }
  }
  if (<i32>(cursorIndex - headIndex) < 0) ringRewind();
  return samples;
}

/** Put the sending cursor back on the oldest record. */
export function ringRewind(): void {
  setCursor(head);
  setCursorIndex(headIndex);
  setCursorEpoch(headEpoch);
  setCursorSeq(headSeq);
}

/** Whether the cursor stands on a record. */
export function cursorHasRecord(): bool {
  return cursorIndex != headIndex + recordCount;
}

/** Address of the record under the cursor, which must have one. */
export function cursorRecord(): usize {
  setCursor(ringResolve(cursor));
  return recordAt(cursor);
}

/** Move the cursor to the next record, whether it is there yet or not. */
export function cursorAdvance(): void {
  const record = cursorRecord();
  setCursor(cursor + load<u16>(record, RECORD_SIZE));
  setCursorIndex(cursorIndex + 1);
  setCursorSeq(cursorSeq + 1);
  if (!cursorHasRecord()) return;
  const next = cursorRecord();
  if (!isKeyframeRecord(next)) return;
  setCursorEpoch(load<u32>(next, RECORD_EPOCH));
  setCursorSeq(load<u32>(next, RECORD_SEQ));
}

/** Where a record that follows at `offset` really stands: a size of zero, or the end of the memory, sends it to the start. */
export function ringResolve(offset: u32): u32 {
  return offset == capacity || load<u16>(recordAt(offset), RECORD_SIZE) == 0 ? 0 : offset;
}

/**
 * Adopt what an earlier boot left in the memory.
 *
 * If that boot was welcomed, its records get their epoch's name and the next number becomes this boot's wish. If not,
 * nothing of it was ever sent: its records stay the running epoch's, and its sequence goes on.
 *
 * @returns records adopted, STATUS_RING_EMPTY or STATUS_RING_FOREIGN
 */
export function ringRestore(): i32 {
  const first = validHeader(ringAt);
  const second = validHeader(ringAt + HEADER_BYTES);
  if (!first && !second) return STATUS_RING_EMPTY;
  const isSecond = second && (!first || <i32>(load<u32>(ringAt + HEADER_BYTES, 4) - load<u32>(ringAt, 4)) > 0);
  const header = ringAt + (isSecond ? HEADER_BYTES : 0);
  setGeneration(load<u32>(header, 4));
  setEpoch(load<u32>(header, 8));
  setHead(load<u32>(header, 24));
  setHeadIndex(load<u32>(header, 28));
  setHeadEpoch(load<u32>(header, 32));
  setHeadSeq(load<u32>(header, 36));
  if (!isRecord(head, headIndex) && !findOldestKeyframe()) {
    // Nothing to go on from: start over, past every index that an orphaned record could still carry.
    setHead(0);
    setHeadIndex(headIndex + capacity);
  }
  walkRecords();
  setEpoch(epoch != 0 ? epoch + 1 : load<u32>(header, 40));
  if (recordCount > 0 && load<u64>(header, 12) != birthHash) return STATUS_RING_FOREIGN;
  return <i32>recordCount;
}

function validHeader(at: usize): bool {
  return (
    load<u32>(at) == MAGIC &&
    load<u32>(at, HEADER_CHECK) == hashBytes(0, at, <i32>HEADER_CHECK) &&
    load<u32>(at, 20) == capacity &&
    load<u32>(at, 24) <= capacity
  );
}

/** Count the sound records from the head on, give those of a boot that was welcomed its epoch's name, find nextSeq. */
function walkRecords(): void {
  setRecordCount(0);
  setUsedBytes(0);
  let offset = head;
  let index = headIndex;
  if (headEpoch == 0) setHeadEpoch(epoch);
  let ofEpoch = headEpoch;
  let seq = headSeq;
  while (usedBytes < capacity) {
    if (!isRecord(offset, index)) {
      if (offset == 0 || recordCount == 0 || !isRecord(0, index)) break;
      offset = 0;
    }
    const at = recordAt(offset);
    if (isKeyframeRecord(at)) {
      ofEpoch = load<u32>(at, RECORD_EPOCH);
      seq = load<u32>(at, RECORD_SEQ);
      if (ofEpoch == 0 && epoch != 0) {
        ofEpoch = epoch;
        store<u32>(at, epoch, RECORD_EPOCH);
        store<u32>(at, recordCheck(at, index), RECORD_CHECK);
        markDirty(at, <u32>recordHeaderBytes(KIND_KEYFRAME));
      }
    }
    const bytes: u32 = load<u16>(at, RECORD_SIZE);
    setRecordCount(recordCount + 1);
    setUsedBytes(usedBytes + bytes);
    offset += bytes;
    index++;
    seq++;
  }
  if (ofEpoch == 0) setNextSeq(seq);
  setTail(recordCount == 0 ? head : offset);
}

/** The header named a record that is gone: look for the oldest keyframe after it, wherever it stands. */
function findOldestKeyframe(): bool {
  let isFound = false;
  let least: u32 = 0;
  const after = headIndex;
  for (let offset: u32 = 0; offset + 44 <= capacity; offset += 4) {
    const at = recordAt(offset);
    const index = load<u32>(at, RECORD_INDEX);
    if (!isKeyframeRecord(at) || <i32>(index - after) < 0) continue;
    if ((isFound && <i32>(index - least) >= 0) || !isRecord(offset, index)) continue;
    isFound = true;
    least = index;
    setHead(offset);
    setHeadIndex(index);
    setHeadEpoch(load<u32>(at, RECORD_EPOCH));
    setHeadSeq(load<u32>(at, RECORD_SEQ));
  }
  return isFound;
}

/** Whether a sound record with this index stands at an offset. */
function isRecord(offset: u32, index: u32): bool {
  if (offset > capacity || capacity - offset < 20) return false;
  const at = recordAt(offset);
  const bytes: u32 = load<u16>(at, RECORD_SIZE);
  const kind: u32 = load<u8>(at, RECORD_KIND);
  if (kind > KIND_HEARTBEAT || (bytes & 3) != 0 || bytes > capacity - offset) return false;
  if (bytes < <u32>recordHeaderBytes(kind) + load<u16>(at, RECORD_PAYLOAD_BYTES)) return false;
  return load<u32>(at, RECORD_CHECK) == recordCheck(at, index);
}

function recordCheck(at: usize, index: u32): u32 {
  // The golden ratio spreads neighbouring indices over the seed; size, kind and events are in the first word.
  const seed = (index * 0x9e3779b1) ^ load<u32>(at);
  return hashBytes(seed, at + RECORD_STATE_HASH, <i32>load<u16>(at, RECORD_SIZE) - <i32>RECORD_STATE_HASH);
}

function markDirty(at: usize, bytes: u32): void {
  const from = <u32>(at - ringAt);
  if (dirtyTo == 0 || from < dirtyFrom) setDirtyFrom(from);
  if (from + bytes > dirtyTo) setDirtyTo(from + bytes);
}
