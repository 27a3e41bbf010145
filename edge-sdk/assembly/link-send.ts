/**
 * The device's side of the protocol, part two: what goes out, and when. The host only asks (`linkPoll`) and sends.
 *
 * In this order: the rest of a fragmented frame; a birth until it is welcomed; a status when one is due; frames that the
 * cloud misses; the next frame of the ring.
 */
import { copy } from "./cbor";
import { MISSING } from "./device-memory";
import {
  composeBirth,
  composeFragment,
  composePresence,
  composeRecord,
  composeStatus,
  FRAGMENT_BYTES_MAX,
  ownFragmentId,
  position,
  recordSeed,
  sealFrame,
} from "./envelope";
import { appendHeartbeat, closeFrame } from "./link";
import {
  birthAtMs,
  birthWaitMs,
  capacity,
  cursorEpoch,
  cursorIndex,
  cursorSeq,
  elapsedMs,
  epoch,
  fragmentCount,
  fragmentGroup,
  fragmentsLeft,
  frameLength,
  headEpoch,
  headIndex,
  headSeq,
  isOpen,
  keyframeDue,
  LINK_DOWN,
  LINK_GREETING,
  lastRecordMs,
  linkPhase,
  messageTopic,
  missingEpoch,
  missingPairs,
  mtu,
  nextSeq,
  outAt,
  progressAtMs,
  recordCount,
  ringAt,
  setAliasLength,
  setBirthAtMs,
  setBirthWaitMs,
  setFragmentCount,
  setFragmentGroup,
  setFragmentsLeft,
  setFrameLength,
  setLastRecordMs,
  setLinkPhase,
  setMessageAt,
  setMessageTopic,
  setMissingPairs,
  setProgressAtMs,
  setStatusAtMs,
  setStatusDue,
  setStatusWaitMs,
  setTokens,
  setTokensAtMs,
  silenceMs,
  statusAtMs,
  statusDue,
  statusWaitMs,
  tokens,
  tokensAtMs,
  usedBytes,
} from "./link-state";
import { cursorAdvance, cursorHasRecord, cursorRecord, ringRewind } from "./ring";
import { STATUS_LINK_NOT_OPEN } from "./status";

/** Where a message goes: the host maps these to its transport. */
export const TOPIC_BIRTH: u32 = 0;
export const TOPIC_FRAMES: u32 = 1;
export const TOPIC_PRESENCE: u32 = 2;

/** First and slowest wait for a welcome. */
const BIRTH_WAIT_FIRST_MS: u32 = 1000;
export const BIRTH_WAIT_SLOWEST_MS: u32 = 30000;
/** A message of a birth took some time to leave: it may take so many times as long to arrive and be answered. */
const BIRTH_WAIT_PACES: u32 = 3;
/** From here on the wait between two statuses without progress is not doubled any more. */
const STATUS_WAIT_SLOWEST_MS: u32 = 30000;
/** Least time between two statuses that a filling ring causes. */
const STATUS_APART_MS: i32 = 250;
/** Frames in flight at most; half of what a position can tell apart. */
export const WINDOW: u32 = 2048;
/** Pace: one frame a millisecond in the long run, this many at once. */
const BURST: u32 = 64;
/** Longest time between two polls that a host is asked for. */
const IDLE_MS: i32 = 60000;

/** The transport is up: greet. */
export function linkConnected(nowMs: u32): void {
  if (ringAt == 0) return;
  setLinkPhase(LINK_GREETING);
  setBirthWaitMs(0);
  setFragmentsLeft(0);
  setAliasLength(0);
  setTokens(BURST);
  setTokensAtMs(nowMs);
}

/** The transport is down: frames gather in the ring. */
export function linkDisconnected(): void {
  setLinkPhase(LINK_DOWN);
}

/**
 * Compose the next message that should go out now.
 *
 * @param timeUs  device time, for heartbeats and statuses
 * @returns its length, where it is being in the view; 0 when there is none now, or a negative status
 */
export function linkPoll(timeUs: i64, nowMs: u32): i32 {
  if (ringAt == 0) return STATUS_LINK_NOT_OPEN;
  if (linkPhase == LINK_DOWN) return 0;
  if (mtu != 0 && fragmentsLeft > 0) {
    // When a birth's last one went; fragments of other frames may move it as they like.
    setBirthAtMs(nowMs);
    return nextFragment();
  }
  const isBirthGone = messageTopic == TOPIC_BIRTH;
  setMessageTopic(TOPIC_FRAMES);
  if (linkPhase == LINK_GREETING) return greet(nowMs, isBirthGone);
  breakSilence(timeUs, nowMs);
  if (isStatusDue(nowMs)) return sendStatus(timeUs, nowMs);
  refillTokens(nowMs);
  if (tokens == 0) return 0;
  const missing = sendMissing();
  if (missing > 0) return missing;
  if (!canSendNext()) return 0;
  if (cursorIndex == headIndex) setProgressAtMs(nowMs);
  const bytes = sendRecord(cursorRecord(), cursorEpoch, cursorSeq);
  cursorAdvance();
  return bytes;
}

/** @param isBirthGone  a birth was the last to be composed; the host asks on, so its last message has left */
function greet(nowMs: u32, isBirthGone: bool): i32 {
  let wait = birthWaitMs;
  if (wait != 0) {
    const passed = nowMs - birthAtMs;
    if (isBirthGone) {
      wait = max(wait, passed + min(BIRTH_WAIT_PACES * passed, BIRTH_WAIT_SLOWEST_MS));
      setBirthWaitMs(wait);
    }
    if (passed < wait) return 0;
  }
  setBirthAtMs(nowMs);
  setBirthWaitMs(wait == 0 ? BIRTH_WAIT_FIRST_MS : min(2 * wait, BIRTH_WAIT_SLOWEST_MS));
  setMessageTopic(TOPIC_BIRTH);
  composeBirth();
  return finish(0, ownFragmentId());
}

/** After `silence` without a record: close the frame in hand early, or say that there is nothing to say. */
function breakSilence(timeUs: i64, nowMs: u32): void {
  if (elapsedMs(nowMs, lastRecordMs) < <i32>silenceMs) return;
  if (isOpen && closeFrame(nowMs) > 0) return;
  // Without a segment there is no state to vouch for.
  if (nextSeq > 0 && !keyframeDue) appendHeartbeat(timeUs, nowMs);
  else setLastRecordMs(nowMs);
}

/** Whether frames wait for an ack longer than they should, the ring fills, or something must be declared. */
function isStatusDue(nowMs: u32): bool {
  if (statusDue) return true;
  if (cursorIndex == headIndex) return false;
  if (elapsedMs(nowMs, progressAtMs) >= <i32>statusWaitMs) return true;
  return usedBytes > capacity >> 1 && elapsedMs(nowMs, statusAtMs) >= STATUS_APART_MS;
}

function sendStatus(timeUs: i64, nowMs: u32): i32 {
  if (statusWaitMs < STATUS_WAIT_SLOWEST_MS) setStatusWaitMs(2 * statusWaitMs);
  setStatusDue(false);
  setStatusAtMs(nowMs);
  setProgressAtMs(nowMs);
  const isEmpty = recordCount == 0;
  const named = isEmpty ? epoch : ownEpoch(headEpoch);
  const oldest = isEmpty ? nextSeq : headSeq;
  const next = isEmpty ? nextSeq : seqAfterEpoch();
  composeStatus(named, oldest, next, timeUs);
  return finish(0, ownFragmentId());
}

/** Seq after the newest record of the oldest record's epoch. */
function seqAfterEpoch(): u32 {
  if (headEpoch == 0) return nextSeq;
  const index = cursorIndex;
  ringRewind();
  let seq = headSeq;
  while (cursorHasRecord() && cursorEpoch == headEpoch) {
    seq = cursorSeq + 1;
    cursorAdvance();
  }
  cursorReturn(index);
  return seq;
}

/** Put the cursor, which walked elsewhere, back on the record with this index. */
function cursorReturn(index: u32): void {
  ringRewind();
  while (cursorIndex != index) cursorAdvance();
}

/** Epoch 0 in the ring stands for the running one. */
export function ownEpoch(named: u32): u32 {
  return named == 0 ? epoch : named;
}

function refillTokens(nowMs: u32): void {
  const passed = elapsedMs(nowMs, tokensAtMs);
  if (passed <= 0) return;
  setTokens(min(BURST, tokens + passed));
  setTokensAtMs(nowMs);
}

/** Send the next frame that the last ack asked for again, if it is still there and was sent before. */
function sendMissing(): i32 {
  while (missingPairs > 0) {
    const from = load<u32>(MISSING);
    const left = load<u32>(MISSING, 4);
    if (left == 0) {
      setMissingPairs(missingPairs - 1);
      copy(MISSING, MISSING + 8, 8 * missingPairs);
      continue;
    }
    store<u32>(MISSING, from + 1);
    store<u32>(MISSING, left - 1, 4);
    const bytes = sendAgain(missingEpoch, from);
    if (bytes > 0) return bytes;
  }
  return 0;
}

/** Whether the ring holds a frame that was not sent yet, and the window has room for it. */
function canSendNext(): bool {
  return cursorHasRecord() && cursorIndex - headIndex < WINDOW;
}

/** Walk the ring for one frame. @returns its length, 0 when it is not there or has yet to be sent anyway */
function sendAgain(ofEpoch: u32, seq: u32): i32 {
  const index = cursorIndex;
  let bytes = 0;
  ringRewind();
  // Below the oldest it is gone for good, which the cloud must be told.
  if (ofEpoch == ownEpoch(headEpoch) && <i32>(seq - headSeq) < 0) setStatusDue(true);
  while (cursorIndex != index && bytes == 0) {
    if (cursorSeq == seq && ownEpoch(cursorEpoch) == ofEpoch) bytes = sendRecord(cursorRecord(), ofEpoch, seq);
    cursorAdvance();
  }
  cursorReturn(index);
  return bytes;
}

function sendRecord(record: usize, ofEpoch: u32, seq: u32): i32 {
  setTokens(tokens - 1);
  const named = ownEpoch(ofEpoch);
  composeRecord(record, named, seq);
  return finish(recordSeed(record, named, seq), position(named, seq));
}

/** Seal the frame that was composed: it is the message, or its first fragment is. */
function finish(seed: u32, id: u32): i32 {
  const length = sealFrame(seed);
  setMessageAt(outAt);
  if (mtu == 0 || length <= mtu) return length;
  const chunk = mtu - FRAGMENT_BYTES_MAX;
  setFrameLength(length);
  setFragmentGroup(id);
  setFragmentCount((length + chunk - 1) / chunk);
  setFragmentsLeft(fragmentCount);
  return nextFragment();
}

function nextFragment(): i32 {
  const count = fragmentCount;
  const index = count - fragmentsLeft;
  const size = mtu - FRAGMENT_BYTES_MAX;
  const bytes = min(size, frameLength - index * size);
  const chunk: usize = outAt + <usize>(index * size);
  const first = composeFragment(chunk, bytes, fragmentGroup, index, count);
  setFragmentsLeft(fragmentsLeft - 1);
  setMessageAt(first);
  return <i32>(chunk - first) + bytes;
}

/** Compose the presence, which on MQTT is also the last will. @returns its length, as `linkPoll` */
export function linkPresence(online: u32): i32 {
  if (ringAt == 0) return STATUS_LINK_NOT_OPEN;
  setMessageTopic(TOPIC_PRESENCE);
  setFragmentsLeft(0);
  composePresence(online);
  return finish(0, 0); // shorter than any limit
}

/** Milliseconds until `linkPoll` may have something to send; 0: now. */
export function linkWakeMs(nowMs: u32): i32 {
  const state = linkPhase;
  if (ringAt == 0 || state == LINK_DOWN) return IDLE_MS;
  let wake: i32 = 0;
  if (mtu == 0 || fragmentsLeft == 0) {
    if (state == LINK_GREETING) {
      // After a birth at once, which says when it left
      if (messageTopic != TOPIC_BIRTH) wake = <i32>birthWaitMs - elapsedMs(nowMs, birthAtMs);
    } else if (!isStatusDue(nowMs)) {
      if (missingPairs > 0 || canSendNext()) return i32(tokens == 0 && elapsedMs(nowMs, tokensAtMs) <= 0);
      wake = <i32>silenceMs - elapsedMs(nowMs, lastRecordMs);
      if (cursorIndex != headIndex) wake = min(wake, <i32>statusWaitMs - elapsedMs(nowMs, progressAtMs));
    }
  }
  return max(0, min(wake, IDLE_MS));
}
