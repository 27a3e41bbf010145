/**
 * The device's side of the protocol, part one: how samples become frames in the ring. (`link-open.ts` says what the
 * device is, `link-send.ts` sends what the ring holds, `link-receive.ts` hears the cloud.) protocol/SPEC.md, sections 2-4.
 *
 *     linkSample ──▶ open frame ──▶ closed: all zero? ──▶ quiet += its samples
 *                    (in place at                  └────▶ record: seq taken, state hash kept
 *                     the ring's tail)
 */
import { codecDropLattice } from "./channel-config";
import { codecReset, frameBegin, frameEnd, frameIsQuiet, frameSample, stateHash } from "./codec";
import { CONFIG, STATE } from "./device-memory";
import { ringFill } from "./envelope";
import { CODER_POSITION, CODER_START, coderOf, FRAME_LINES } from "./layout";
import { beginKeeping, encodeKept, isKeeping, keepRow, keptHasLines } from "./link-lookahead";
import {
  capacity,
  channelCount,
  evictedSamples,
  frameSamples,
  head,
  isOpen,
  keyframeDue,
  lattices,
  mtu,
  nextSeq,
  openAt,
  openSamples,
  payloadMax,
  quiet,
  recordCount,
  ringAt,
  segmentBytes,
  setEvictedSamples,
  setIsOpen,
  setKeyframeDue,
  setLastRecordMs,
  setLattices,
  setNextSeq,
  setOpenAt,
  setOpenSamples,
  setQuiet,
  setStatusDue,
} from "./link-state";
import {
  isKeyframeRecord,
  KIND_HEARTBEAT,
  KIND_KEYFRAME,
  KIND_RESIDUAL,
  RECORD_EPOCH,
  RECORD_FLAGS,
  RECORD_KIND,
  RECORD_LATTICES,
  RECORD_PAYLOAD_BYTES,
  RECORD_QUIET,
  RECORD_RING_FILL,
  RECORD_SAMPLES,
  RECORD_SEQ,
  RECORD_STATE_HASH,
  RECORD_TIME,
  recordAt,
  recordHeaderBytes,
  ringAppend,
  ringPop,
  ringRoom,
  ringWriteHeader,
} from "./ring";
import { STATUS_EPOCH_EXHAUSTED, STATUS_LINK_NOT_OPEN, STATUS_OFF_LATTICE, STATUS_SAMPLE_STATUS } from "./status";

/** Room kept in front of a composed frame, so that a fragment's header fits before its first chunk. */
export const OUT_ROOM: usize = 16;
/** A segment may fill a quarter of the ring before the next one starts, so that dropping one never empties the ring. */
export const SEGMENTS_PER_RING: u32 = 4;
/** Bytes of a residual frame around its payload, as a rule: frames close early to stay within the MTU with these. */
const ENVELOPE_BYTES_USUAL: u32 = 16;
/** Bytes of a data record's payload at most, whatever the buffer; a frame closes before it outgrows them. */
export const PAYLOAD_BYTES_MAX: u32 = 4096;
/** Where an epoch must end: seq may not wrap. */
const LAST_SEQ: u32 = 0xfffffff0;
/** Quiet samples after which the next frame is recorded even if it is quiet: a frame names at most twice as many. */
const QUIET_MAX: u32 = 0xffff;

/** Bytes of the largest data record. */
export function recordBytesMax(): u32 {
  return <u32>recordHeaderBytes(KIND_KEYFRAME) + payloadMax;
}

/**
 * Take one sample of every channel.
 *
 * @param samples   i32 per channel
 * @param statuses  u8 per channel: 0 ok, 1 invalid, 2 saturated
 * @param timeUs    when it was taken, device time
 * @returns 1 when a frame went into the ring, 0 when not, or a negative status (nothing taken)
 */
export function linkSample(samples: usize, statuses: usize, timeUs: i64, nowMs: u32): i32 {
  if (ringAt == 0) return STATUS_LINK_NOT_OPEN;
  if (nextSeq >= LAST_SEQ) return STATUS_EPOCH_EXHAUSTED;
  let closed: i32 = 0;
  let hasEvents = false;
  for (let c: u32 = 0; c < channelCount; c++) if (load<u8>(statuses + c) != 0) hasEvents = true;
  // At most: close for events, close for room, close for the lattice; each leads to a fresh frame that cannot refuse again.
  for (let attempt = 0; ; attempt++) {
    if (!isOpen) openFrame(hasEvents, timeUs, nowMs);
    const result = frameSample(CONFIG, STATE, samples, statuses);
    if (result >= 0) break;
    if (result == STATUS_SAMPLE_STATUS || attempt == 3) return result;
    // What is in the frame was coded on its lattices
    closed |= closeFrame(nowMs);
    if (result == STATUS_OFF_LATTICE) dropLattices();
  }
  if (isKeeping() && load<u8>(openAt, RECORD_FLAGS) == 0) keepRow(samples);
  setOpenSamples(openSamples + 1);
  if (openSamples >= frameSamples || isFrameAtMtu()) closed |= closeFrame(nowMs);
  return closed;
}

/** A sample was off the lattice that its channel claims: code without the rule, which needs a keyframe. */
function dropLattices(): void {
  for (let c: u32 = 0; c < channelCount; c++) codecDropLattice(CONFIG, c);
  setLattices(0);
  setKeyframeDue(true);
}

/** Whether one more row could make the frame longer than the link's messages. */
function isFrameAtMtu(): bool {
  const coder = coderOf(CONFIG, STATE);
  const bytes = load<u32>(coder, CODER_POSITION) - load<u32>(coder, CODER_START);
  return mtu != 0 && bytes + ENVELOPE_BYTES_USUAL + 2 >= mtu;
}

function openFrame(hasEvents: bool, timeUs: i64, nowMs: u32): void {
  const isDue = keyframeDue || segmentBytes > capacity / SEGMENTS_PER_RING;
  if (isDue && quiet > 0) appendHeartbeat(timeUs, nowMs);
  const at = makeRoom(recordBytesMax());
  // Making room may have dropped the running segment, after which only a keyframe makes sense.
  const isKeyframe = isDue || keyframeDue;
  const kind = isKeyframe ? KIND_KEYFRAME : KIND_RESIDUAL;
  setIsOpen(true);
  setOpenAt(at);
  setOpenSamples(0);
  store<u8>(at, kind, RECORD_KIND);
  store<u8>(at, u8(hasEvents), RECORD_FLAGS);
  if (isKeyframe) {
    codecReset(CONFIG, STATE);
    setKeyframeDue(false);
    setQuiet(0);
    store<i64>(at, timeUs, RECORD_TIME);
    store<u32>(at, 0, RECORD_EPOCH);
    store<u32>(at, lattices, RECORD_LATTICES);
  }
  frameBegin(CONFIG, STATE, hasEvents, at + recordHeaderBytes(kind), payloadMax);
  beginKeeping(CONFIG, STATE);
}

/** Room for a record, dropping the oldest whole segments if it must. */
function makeRoom(bytes: u32): usize {
  let at = ringRoom(bytes);
  while (at == 0) {
    let samples: u64 = 0;
    do samples += ringPop();
    while (recordCount > 0 && !isKeyframeRecord(recordAt(head)));
    if (recordCount == 0) {
      setKeyframeDue(true);
      // Quiet samples that followed a dropped segment cannot be decoded either.
      samples += quiet;
      setQuiet(0);
    }
    setEvictedSamples(evictedSamples + samples);
    setStatusDue(true);
    ringWriteHeader();
    at = ringRoom(bytes);
  }
  return at;
}

/** Close the frame in hand. @returns 1 when it went into the ring, 0 when there was none or it was all quiet */
export function closeFrame(nowMs: u32): i32 {
  const samples = openSamples;
  if (!isOpen) return 0;
  setIsOpen(false);
  const at = openAt;
  const isKeyframe = isKeyframeRecord(at);
  if (samples == 0) {
    if (isKeyframe) setKeyframeDue(true);
    return 0;
  }
  let payloadBytes = frameEnd(CONFIG, STATE);
  if (isKeeping() && load<u8>(at, RECORD_FLAGS) == 0) {
    const payload = at + recordHeaderBytes(load<u8>(at, RECORD_KIND));
    payloadBytes = encodeKept(CONFIG, STATE, payload, payloadMax);
    if (keptHasLines(CONFIG, STATE)) store<u8>(at, <u8>FRAME_LINES, RECORD_FLAGS);
  }
  // A frame with events is never quiet.
  if (!isKeyframe && quiet <= QUIET_MAX && frameIsQuiet(CONFIG, STATE)) {
    setQuiet(quiet + samples);
    return 0;
  }
  store<u16>(at, samples, RECORD_SAMPLES);
  store<u16>(at, payloadBytes, RECORD_PAYLOAD_BYTES);
  if (isKeyframe) store<u32>(at, nextSeq, RECORD_SEQ);
  appendRecord(at, <u32>recordHeaderBytes(load<u8>(at, RECORD_KIND)) + payloadBytes, nowMs);
  return 1;
}

/** A record that only says that the device is there, and how many quiet samples passed. */
export function appendHeartbeat(timeUs: i64, nowMs: u32): void {
  const bytes = <u32>recordHeaderBytes(KIND_HEARTBEAT);
  const evictedBefore = evictedSamples;
  const at = makeRoom(bytes);
  // If that dropped the running segment there is nothing left to be quiet about: a keyframe is due.
  if (recordCount == 0 && evictedSamples != evictedBefore) return;
  store<u16>(at, <u16>KIND_HEARTBEAT, RECORD_KIND); // no events
  store<u32>(at, 0, RECORD_SAMPLES); // and no payload
  store<i64>(at, timeUs, RECORD_TIME);
  store<u32>(at, ringFill(), RECORD_RING_FILL);
  appendRecord(at, bytes, nowMs);
}

function appendRecord(at: usize, bytes: u32, nowMs: u32): void {
  store<u32>(at, stateHash(CONFIG, STATE), RECORD_STATE_HASH);
  store<u32>(at, quiet, RECORD_QUIET);
  for (; bytes & 3; bytes++) store<u8>(at + bytes, 0);
  ringAppend(at, bytes, nextSeq);
  setNextSeq(nextSeq + 1);
  setQuiet(0);
  setLastRecordMs(nowMs);
}

/** Close the frame in hand, put quiet samples that nothing covers yet into a heartbeat, and ask for an ack of it all. @returns frames unconfirmed */
export function linkFlush(timeUs: i64, nowMs: u32): i32 {
  if (ringAt == 0) return STATUS_LINK_NOT_OPEN;
  closeFrame(nowMs);
  if (quiet > 0) appendHeartbeat(timeUs, nowMs);
  if (recordCount > 0) setStatusDue(true);
  return recordCount;
}
