/** What is left of an update when the power went, or a chunk did not come to stand as it was sent. */
import { copy } from "./cbor";
import { headManifestBytes, trimHead } from "./update-head";
import { admitManifest, freeSlot, readManifest } from "./update-manifest";
import {
  bodyOffset,
  configWord,
  HEAD,
  inUnits,
  RUNNING_SHA256,
  sectorBytes,
  UPDATE_BUFFER,
  UPDATE_CANDIDATE,
  UPDATE_CANDIDATE_BYTES,
  UPDATE_CANDIDATE_SHA256,
  UPDATE_CANDIDATE_SID,
  UPDATE_CONFIG_SID,
  UPDATE_HEAD_MANIFEST,
} from "./update-memory";
import {
  bodyBytes,
  detail,
  lastByte,
  loadSlot,
  phase,
  STEP_HASH,
  STEP_HEAD,
  STEP_LOAD,
  STEP_NONE,
  STEP_REPAIR,
  STEP_SCAN,
  setAnswerDue,
  setLastByte,
  setLoadSlot,
  setNext,
  setPhase,
  setSid,
  setStep,
  setVerdict,
  stepAt,
  UPDATE_PHASE_ERASING,
  UPDATE_PHASE_IDLE,
  UPDATE_PHASE_RECEIVING,
  UPDATE_PHASE_TRYING,
  UPDATE_VERDICT_NONE,
  verdict,
} from "./update-state";

const DIGEST_BYTES: i32 = 32;
const ERASED: u32 = 0xff;

/** A head was read: that of what runs says its digest, that of the other slot what was under way. */
export function loaded(): void {
  const bytes = headManifestBytes();
  if (bytes != 0) trimHead();
  const manifest = HEAD + UPDATE_HEAD_MANIFEST;
  setStep(STEP_NONE);
  if (loadSlot != freeSlot()) {
    if (bytes != 0 && readManifest(manifest, bytes, UPDATE_CANDIDATE)) {
      copy(RUNNING_SHA256, UPDATE_CANDIDATE + UPDATE_CANDIDATE_SHA256, DIGEST_BYTES);
    }
    forget();
    if (phase != UPDATE_PHASE_TRYING) loadOther();
    return;
  }
  const was = verdict;
  const wasTold = detail;
  const isTaken = bytes != 0 && admitManifest(manifest, bytes, UPDATE_CANDIDATE);
  setVerdict(was, wasTold);
  const found = load<u32>(UPDATE_CANDIDATE + UPDATE_CANDIDATE_SID);
  const hasFailed = phase == UPDATE_PHASE_IDLE && was != UPDATE_VERDICT_NONE && found == configWord(UPDATE_CONFIG_SID);
  if (!isTaken || hasFailed) {
    forget();
    setPhase(UPDATE_PHASE_IDLE);
    return;
  }
  if (phase == UPDATE_PHASE_IDLE) {
    setSid(found);
    setVerdict(UPDATE_VERDICT_NONE);
    setPhase(UPDATE_PHASE_ERASING);
  }
  setStep(STEP_SCAN, bodyBytes());
}

export function loadOther(): void {
  setLoadSlot(freeSlot());
  setStep(STEP_LOAD);
}

function forget(): void {
  memory.fill(UPDATE_CANDIDATE, 0, UPDATE_CANDIDATE_BYTES);
}

/** Ready for the body's byte at an offset. */
export function receive(from: u32): void {
  setNext(from);
  setPhase(UPDATE_PHASE_RECEIVING);
  setAnswerDue(true);
  setStep(STEP_NONE);
}

/** A piece of the body was read, from the end on: its last byte that is not erased is where an earlier boot stopped. */
export function scanned(from: u32, length: u32): void {
  for (let i = length; i != 0; ) {
    i--;
    if (load<u8>(UPDATE_BUFFER + i) == ERASED) continue;
    setLastByte(from + i);
    // All there? A digest tells, and nothing needs to be sent again.
    if (phase == UPDATE_PHASE_ERASING && inUnits(lastByte + 1) >= bodyBytes()) setStep(STEP_HASH);
    else repair();
    return;
  }
  if (from == 0) receive(0);
  else setStep(STEP_SCAN, from);
}

/** What was being written when the power went may be half written: erase the sector that holds it. */
export function repair(): void {
  setStep(STEP_REPAIR, (bodyOffset() + lastByte) & ~(sectorBytes() - 1));
}

export function repaired(): void {
  if (stepAt == 0)
    setStep(STEP_HEAD); // it held the head too
  else receive(stepAt > bodyOffset() ? stepAt - bodyOffset() : 0);
}
