/**
 * The device's side of the protocol, part three: what the cloud says. Nothing takes effect unless the whole frame is
 * canonical, sealed and for this boot.
 */
import {
  copy,
  MAJOR_ARRAY,
  MAJOR_BYTES,
  MAJOR_TEXT,
  readBegin,
  readHeader,
  readIsDone,
  readIsSound,
  readPosition,
  readString,
  readUint,
} from "./cbor";
import { WIRE_VERSION } from "./envelope";
import { hashBytes } from "./hash";
import { closeFrame } from "./link";
import { BIRTH_WAIT_SLOWEST_MS, ownEpoch, WINDOW } from "./link-send";
import {
  ALIAS,
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
  MISSING,
  MISSING_MAX,
  nextSeq,
  nonce,
  openKeyframe,
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
import { ringPop, ringRewind, ringWriteHeader } from "./ring";
import { STATUS_LINK_NOT_OPEN, STATUS_NOT_FOR_US, STATUS_REFUSED_FRAME } from "./status";

export const KIND_ACK: u32 = 4;
export const KIND_RESYNC: u32 = 6;
export const KIND_WELCOME: u32 = 8;
export const KIND_REFUSAL: u32 = 9;

/** A device waits so much longer for an ack than the cloud said that it may take: transport, commit. */
const PATIENCE_MS: u32 = 1000;
/** A day: the longest that an ack may be said to take. */
const ACK_AGE_MAX_MS: u64 = 86_400_000;
const U32: u64 = 0xffffffff;

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
  const elements = readHeader(MAJOR_ARRAY);
  const kind = <u32>readUint(U32) - 16 * WIRE_VERSION;
  const echo = <u32>readUint(U32);
  if (!readIsSound()) return STATUS_REFUSED_FRAME;
  if (echo != nonce || linkPhase == LINK_DOWN) return STATUS_NOT_FOR_US;
  if (kind == KIND_ACK && elements == 6) return hearAck(nowMs);
  if (kind == KIND_WELCOME && elements == 8) return hearWelcome(nowMs);
  if (kind == KIND_RESYNC && elements == 6) return hearResync(nowMs);
  if (kind == KIND_REFUSAL && elements == 4) return hearRefusal(nowMs);
  return STATUS_REFUSED_FRAME;
}

/** Whether the last five bytes are the checksum of all before. */
function isSealed(at: usize, length: i32): bool {
  if (length < 8) return false;
  const content = length - 5;
  const seal = at + <usize>content;
  return load<u8>(seal) == 0x44 && bswap<u32>(load<u32>(seal, 1)) == hashBytes(0, at, content);
}

/** The seal was checked already; it must also be the last element. */
function endsWithSeal(): bool {
  return readString(MAJOR_BYTES, 4) == 4 && readIsDone();
}

function hearAck(nowMs: u32): i32 {
  const named = <u32>readUint(U32);
  const through = <u32>readUint(U32);
  const numbers = readHeader(MAJOR_ARRAY);
  if (numbers > 2 * MISSING_MAX || (numbers & 1) != 0) return STATUS_REFUSED_FRAME;
  const first = readPosition();
  let least: u64 = through;
  for (let i: u64 = 0; i < numbers; i += 2) {
    const from = readUint(U32);
    const count = readUint(WINDOW);
    if (from < least || count == 0) return STATUS_REFUSED_FRAME;
    least = from + count;
  }
  if (least > U32 + 1 || !endsWithSeal() || isAheadOfUs(named, through)) return STATUS_REFUSED_FRAME;
  keepMissing(named, first, <u32>numbers / 2);
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
    store<u32>(MISSING + 8 * i, <u32>readUint(U32));
    store<u32>(MISSING + 8 * i, <u32>readUint(U32), 4);
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
  if (recordCount > 0 && ownEpoch(headEpoch) != named) setStatusDue(1);
  return true;
}

function hearWelcome(nowMs: u32): i32 {
  const named = <u32>readUint(U32);
  const through = <u32>readUint(U32);
  const length = readString(MAJOR_TEXT, 8);
  const alias = readPosition() - <usize>length;
  const ackAgeMs = <u32>readUint(ACK_AGE_MAX_MS);
  readUint(((<u64>1) << 53) - 1);
  if (!endsWithSeal() || named == 0) return STATUS_REFUSED_FRAME;
  // The running epoch changes only as long as nothing was sent under it, or when the cloud insists in answer to a birth.
  if (named != epoch && linkPhase == LINK_LIVE) return STATUS_REFUSED_FRAME;
  if (through > nextSeq) return STATUS_REFUSED_FRAME;
  setEpoch(named);
  setIsGranted(1);
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
  if (evictedSamples > 0 || (recordCount > 0 && headEpoch != 0)) setStatusDue(1);
  return KIND_WELCOME;
}

function hearResync(nowMs: u32): i32 {
  const named = <u32>readUint(U32);
  const seq = <u32>readUint(U32);
  readUint(255);
  if (!endsWithSeal()) return STATUS_REFUSED_FRAME;
  if (named != epoch) return STATUS_NOT_FOR_US;
  // A segment that began after the frame in question is the answer already.
  const isUnderWay = keyframeDue != 0 || (isOpen != 0 && openKeyframe != 0);
  if (isUnderWay || segmentSeq > seq) return KIND_RESYNC;
  closeFrame(nowMs);
  setKeyframeDue(1);
  return KIND_RESYNC;
}

function hearRefusal(nowMs: u32): i32 {
  const reason = <u32>readUint(255);
  if (!endsWithSeal()) return STATUS_REFUSED_FRAME;
  setRefusal(reason);
  setLinkPhase(LINK_GREETING);
  setBirthAtMs(nowMs);
  setBirthWaitMs(BIRTH_WAIT_SLOWEST_MS);
  return KIND_REFUSAL;
}
