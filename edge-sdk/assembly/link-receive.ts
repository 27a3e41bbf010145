/**
 * The device's side of the protocol, part three: what the cloud says. Nothing takes effect unless the whole frame is
 * canonical, sealed and for this boot.
 */
import {
  copy,
  isInteger53,
  loadBigEndian,
  MAJOR_ARRAY,
  MAJOR_BYTES,
  MAJOR_TEXT,
  MAJOR_UINT,
  readArgument,
  readBegin,
  readHeader,
  readIsDone,
  readIsSound,
  readPosition,
  readString,
  readUint,
} from "./cbor";
import { ALIAS, MISSING, MISSING_MAX } from "./device-memory";
import { WIRE_VERSION } from "./envelope";
import { hashBytes } from "./hash";
import { closeFrame } from "./link";
import { BIRTH_WAIT_SLOWEST_MS, ownEpoch, WINDOW } from "./link-send";
import {
  epoch,
  evictedSamples,
  headEpoch,
  headSeq,
  isOpen,
  keyframeDue,
  LINK_DOWN,
  LINK_GREETING,
  LINK_LIVE,
  linkPhase,
  nextSeq,
  nonce,
  openAt,
  patienceMs,
  recordCount,
  ringAt,
  segmentSeq,
  setAliasLength,
  setBirthAtMs,
  setBirthWaitMs,
  setEpoch,
  setIsGranted,
  setKeyframeDue,
  setLinkPhase,
  setMissingEpoch,
  setMissingPairs,
  setPatienceMs,
  setProgressAtMs,
  setRefusal,
  setStatusDue,
  setStatusWaitMs,
} from "./link-state";
import { isKeyframeRecord, ringPop, ringRewind, ringWriteHeader } from "./ring";
import { STATUS_LINK_NOT_OPEN, STATUS_NOT_FOR_US, STATUS_REFUSED_FRAME } from "./status";

const KIND_ACK: u32 = 4;
const KIND_RESYNC: u32 = 6;
const KIND_WELCOME: u32 = 8;
const KIND_REFUSAL: u32 = 9;
/** Most elements of a frame that a device hears. */
const ELEMENTS_MAX: u32 = 8;

/** A device waits so much longer for an ack than the cloud said that it may take: transport, commit. */
const PATIENCE_MS: u32 = 1000;
/** A day: the longest that an ack may be said to take. */
const ACK_AGE_MAX_MS: u32 = 86_400_000;
const U32: u32 = 0xffffffff;

/**
 * Hear one message of the cloud.
 *
 * @param at  its bytes, overwritten by nothing
 * @returns the kind handled, or a negative status: STATUS_REFUSED_FRAME (malformed or forged), STATUS_NOT_FOR_US
 */
export function linkReceive(at: usize, length: i32, nowMs: u32): i32 {
  if (ringAt == 0) return STATUS_LINK_NOT_OPEN;
  if (!isSealed(at, length)) return STATUS_REFUSED_FRAME;
  readBegin(at, length);
  const elements = readHeader(MAJOR_ARRAY, ELEMENTS_MAX);
  const frame = frameOf(elements, readUint(16 * WIRE_VERSION + 15) - 16 * WIRE_VERSION);
  const echo = readUint(U32);
  if (!readIsSound()) return STATUS_REFUSED_FRAME;
  if (echo != nonce || linkPhase == LINK_DOWN) return STATUS_NOT_FOR_US;
  if (frame == frameOf(4, KIND_REFUSAL)) return hearRefusal(nowMs);
  // Every other frame names an epoch, and a place in it.
  const named = readUint(U32);
  const seq = readUint(U32);
  if (frame == frameOf(6, KIND_ACK)) return hearAck(named, seq, nowMs);
  if (frame == frameOf(8, KIND_WELCOME)) return hearWelcome(named, seq, nowMs);
  if (frame == frameOf(6, KIND_RESYNC)) return hearResync(named, seq, nowMs);
  return STATUS_REFUSED_FRAME;
}

/** Elements and kind, each below 16, in one number. */
function frameOf(elements: u32, kind: u32): u32 {
  return (elements << 4) | kind;
}

/** Whether the last five bytes are the checksum of all before. */
function isSealed(at: usize, length: i32): bool {
  if (length < 8) return false;
  const content = length - 5;
  const seal = at + <usize>content;
  return load<u8>(seal) == 0x44 && <u32>loadBigEndian(seal + 1, 4) == hashBytes(0, at, content);
}

/** The seal was checked already; it must also be the last element. */
function endsWithSeal(): bool {
  return readString(MAJOR_BYTES, 4) == 4 && readIsDone();
}

function hearAck(named: u32, through: u32, nowMs: u32): i32 {
  const numbers = readHeader(MAJOR_ARRAY, 2 * MISSING_MAX);
  if ((numbers & 1) != 0) return STATUS_REFUSED_FRAME;
  const first = readPosition();
  let last: u32 = 0; // of the hole before
  for (let i: u32 = 0; i < numbers; i += 2) {
    const from = readUint(U32);
    const count = readUint(WINDOW);
    if (from < through || (i != 0 && from <= last) || count == 0) return STATUS_REFUSED_FRAME;
    last = from + count - 1;
    if (last < from) return STATUS_REFUSED_FRAME;
  }
  if (!endsWithSeal() || isAheadOfUs(named, through)) return STATUS_REFUSED_FRAME;
  keepMissing(named, first, numbers / 2);
  if (confirm(named, through)) {
    setStatusWaitMs(patienceMs);
    setProgressAtMs(nowMs);
  }
  return KIND_ACK;
}

/** An ack for what was never put into the ring is not the cloud's. */
function isAheadOfUs(named: u32, through: u32): bool {
  return named > epoch || (named == epoch && through > nextSeq);
}

/** Remember the holes of an ack whose pairs start at `at`; they were read once, hence are sound. */
function keepMissing(named: u32, at: usize, pairs: u32): void {
  readBegin(at, 18 * pairs);
  for (let i: usize = 0; i < pairs; i++) {
    store<u32>(MISSING + 8 * i, readUint(U32));
    store<u32>(MISSING + 8 * i, readUint(U32), 4);
  }
  setMissingEpoch(named);
  setMissingPairs(pairs);
}

/** Drop what the cloud has for good. @returns whether there was anything to drop */
function confirm(named: u32, through: u32): bool {
  let hasProgress = false;
  while (recordCount > 0 && ownEpoch(headEpoch) == named && headSeq < through) {
    ringPop();
    hasProgress = true;
  }
  if (!hasProgress) return false;
  ringWriteHeader();
  // Frames of an earlier boot are confirmed epoch by epoch: ask about the next one at once.
  if (recordCount > 0 && ownEpoch(headEpoch) != named) setStatusDue(true);
  return true;
}

function hearWelcome(named: u32, through: u32, nowMs: u32): i32 {
  const length = readString(MAJOR_TEXT, 8);
  const alias = readPosition() - <usize>length;
  const ackAgeMs = readUint(ACK_AGE_MAX_MS);
  const time = readArgument(MAJOR_UINT);
  if (!endsWithSeal() || named == 0 || !isInteger53(time)) return STATUS_REFUSED_FRAME;
  // The running epoch changes only as long as nothing was sent under it, or when the cloud insists in answer to a birth.
  if (named != epoch && linkPhase == LINK_LIVE) return STATUS_REFUSED_FRAME;
  if (through > nextSeq) return STATUS_REFUSED_FRAME;
  setEpoch(named);
  setIsGranted(true);
  setAliasLength(length);
  copy(ALIAS, alias, length);
  setLinkPhase(LINK_LIVE);
  setRefusal(0);
  setMissingPairs(0);
  setPatienceMs(ackAgeMs + PATIENCE_MS);
  setStatusWaitMs(patienceMs);
  setProgressAtMs(nowMs);
  confirm(named, through);
  ringWriteHeader();
  ringRewind();
  // What was dropped, or is left of an earlier boot, must be declared first.
  if (evictedSamples > 0 || (recordCount > 0 && headEpoch != 0)) setStatusDue(true);
  return KIND_WELCOME;
}

function hearResync(named: u32, seq: u32, nowMs: u32): i32 {
  readUint(255);
  if (!endsWithSeal()) return STATUS_REFUSED_FRAME;
  if (named != epoch) return STATUS_NOT_FOR_US;
  // A segment that began after the frame in question is the answer already.
  const isUnderWay = keyframeDue || (isOpen && isKeyframeRecord(openAt));
  if (isUnderWay || segmentSeq > seq) return KIND_RESYNC;
  closeFrame(nowMs);
  setKeyframeDue(true);
  return KIND_RESYNC;
}

function hearRefusal(nowMs: u32): i32 {
  const reason = readUint(255);
  if (!endsWithSeal()) return STATUS_REFUSED_FRAME;
  setRefusal(reason);
  setLinkPhase(LINK_GREETING);
  setBirthAtMs(nowMs);
  setBirthWaitMs(BIRTH_WAIT_SLOWEST_MS);
  return KIND_REFUSAL;
}
