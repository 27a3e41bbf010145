/** The actions that the host carries out, one at a time, and what becomes of each. */
import { copy } from "./cbor";
import { crc32 } from "./crc32";
import { equalBytes } from "./equal-bytes";
import { sha256Finish, sha256Reset, sha256Update } from "./sha256";
import { refuseSignature } from "./update-frames";
import { headBytes, headManifestBytes } from "./update-head";
import { freeSlot, readManifest } from "./update-manifest";
import {
  bodyOffset,
  configByte,
  configWord,
  DIGEST,
  HASH,
  HEAD,
  inUnits,
  sectorBytes,
  UPDATE_BUFFER,
  UPDATE_BUFFER_BYTES,
  UPDATE_CANDIDATE,
  UPDATE_CANDIDATE_FORM,
  UPDATE_CANDIDATE_SHA256,
  UPDATE_CANDIDATE_SID,
  UPDATE_CONFIG,
  UPDATE_CONFIG_CONFIRM_MS,
  UPDATE_CONFIG_CONFIRMED_VERSION,
  UPDATE_CONFIG_IS_TRYING,
  UPDATE_CONFIG_RUNNING_SLOT,
  UPDATE_CONFIG_RUNNING_VERSION,
  UPDATE_CONFIG_SLOT_BYTES,
  UPDATE_FORM_MODULE,
  UPDATE_HEAD_BYTES,
  UPDATE_HEAD_MANIFEST,
} from "./update-memory";
import { loaded, loadOther, receive, repair, repaired, scanned } from "./update-resume";
import { verifyPart } from "./update-signature";
import {
  answerDue,
  bodyBytes,
  chunkBytes,
  chunkCrc,
  detail,
  loadSlot,
  next,
  phase,
  STEP_CHECK,
  STEP_DISCARD,
  STEP_ERASE,
  STEP_GO_BACK,
  STEP_HASH,
  STEP_HEAD,
  STEP_KEEP,
  STEP_LOAD,
  STEP_NONE,
  STEP_PROGRAM,
  STEP_REPAIR,
  STEP_SCAN,
  STEP_SIGNATURE,
  STEP_SWITCH,
  STEP_TEST,
  setAnswerDue,
  setLoadSlot,
  setNext,
  setPhase,
  setSid,
  setStep,
  setTriedAtMs,
  setVerdict,
  setWasHeld,
  sid,
  step,
  stepAt,
  triedAtMs,
  UPDATE_PHASE_ERASING,
  UPDATE_PHASE_IDLE,
  UPDATE_PHASE_READY,
  UPDATE_PHASE_REVERTING,
  UPDATE_PHASE_TRYING,
  UPDATE_PHASE_VERIFYING,
  UPDATE_VERDICT_BAD_CHUNK,
  UPDATE_VERDICT_BAD_DIGEST,
  UPDATE_VERDICT_BUSY,
  UPDATE_VERDICT_FLASH_FAILED,
  UPDATE_VERDICT_NONE,
  UPDATE_VERDICT_NOT_CONFIRMED,
  verdict,
  wasHeld,
} from "./update-state";

export const UPDATE_ACTION_NONE: i32 = 0;
export const UPDATE_ACTION_ERASE: i32 = 1;
export const UPDATE_ACTION_PROGRAM: i32 = 2;
export const UPDATE_ACTION_READ: i32 = 3;
export const UPDATE_ACTION_TEST: i32 = 4;
export const UPDATE_ACTION_SWITCH: i32 = 5;
export const UPDATE_ACTION_KEEP: i32 = 6;
export const UPDATE_ACTION_GO_BACK: i32 = 7;
export const UPDATE_ACTION_WORK: i32 = 8;

const DIGEST_BYTES: i32 = 32;
const _ERASED: u32 = 0xff;
const NO_SLOT: u32 = 255;

let slot: u32 = 0; // of the action
let address: u32 = 0;
let length: u32 = 0;

export function updateSlot(): i32 {
  return slot;
}

export function updateAddress(): u32 {
  return address;
}

export function updateLength(): u32 {
  return length;
}

/** Look for what an earlier boot left: the head of what runs, then, unless that is on trial, the other slot. */
export function startLoading(): void {
  const running = configByte(UPDATE_CONFIG_RUNNING_SLOT);
  setLoadSlot(running == NO_SLOT ? freeSlot() : running);
  setStep(STEP_LOAD);
}

/** Take the package whose head was made: its signature is good. */
export function adopt(): void {
  readManifest(HEAD + UPDATE_HEAD_MANIFEST, headManifestBytes(), UPDATE_CANDIDATE);
  setSid(load<u32>(UPDATE_CANDIDATE + UPDATE_CANDIDATE_SID));
  setVerdict(UPDATE_VERDICT_NONE);
  setNext(0);
  setPhase(UPDATE_PHASE_ERASING);
  setAnswerDue(true);
  setStep(STEP_ERASE);
}

/** The action due. */
export function updateNext(nowMs: u32): i32 {
  if (phase == UPDATE_PHASE_TRYING && step == STEP_NONE) expire(nowMs);
  slot = freeSlot();
  address = stepAt;
  switch (step) {
    case STEP_LOAD:
      slot = loadSlot;
      return read(<u32>UPDATE_HEAD_BYTES);
    case STEP_SCAN:
      address = (stepAt - 1) & ~(<u32>UPDATE_BUFFER_BYTES - 1);
      length = stepAt - address;
      address += bodyOffset();
      return UPDATE_ACTION_READ;
    case STEP_SIGNATURE:
      return UPDATE_ACTION_WORK;
    case STEP_REPAIR:
    case STEP_ERASE:
      length = sectorBytes();
      return UPDATE_ACTION_ERASE;
    case STEP_DISCARD:
      address = 0;
      length = sectorBytes();
      return UPDATE_ACTION_ERASE;
    case STEP_HEAD:
      length = min<u32>(UPDATE_BUFFER_BYTES, inUnits(headBytes()) - stepAt);
      copy(UPDATE_BUFFER, HEAD + stepAt, length);
      return UPDATE_ACTION_PROGRAM;
    case STEP_PROGRAM:
      address = bodyOffset() + next;
      length = inUnits(chunkBytes);
      return UPDATE_ACTION_PROGRAM;
    case STEP_CHECK:
      address = bodyOffset() + next;
      length = chunkBytes;
      return UPDATE_ACTION_READ;
    case STEP_HASH:
      read(bodyBytes());
      address += bodyOffset();
      return UPDATE_ACTION_READ;
    case STEP_TEST:
      return UPDATE_ACTION_TEST;
    case STEP_SWITCH:
      address = sid;
      return held(UPDATE_ACTION_SWITCH);
    case STEP_KEEP:
      slot = configByte(UPDATE_CONFIG_RUNNING_SLOT);
      address = configWord(UPDATE_CONFIG_RUNNING_VERSION);
      return UPDATE_ACTION_KEEP;
    case STEP_GO_BACK:
      slot = configByte(UPDATE_CONFIG_RUNNING_SLOT);
      address = detail;
      length = verdict;
      return held(UPDATE_ACTION_GO_BACK);
  }
  return UPDATE_ACTION_NONE;
}

function expire(nowMs: u32): void {
  const limitMs = configWord(UPDATE_CONFIG_CONFIRM_MS);
  if (limitMs == 0 || nowMs - triedAtMs < limitMs) return;
  setVerdict(UPDATE_VERDICT_NOT_CONFIRMED);
  setPhase(UPDATE_PHASE_REVERTING);
  setAnswerDue(true);
  setWasHeld(false);
  setStep(STEP_GO_BACK);
}

/** The next piece of what ends at `end`. */
function read(end: u32): i32 {
  length = min<u32>(UPDATE_BUFFER_BYTES, end - stepAt);
  return UPDATE_ACTION_READ;
}

/** An action after which the device restarts waits one turn for its answer to leave, and no longer: there may be no link. */
function held(action: i32): i32 {
  if (!answerDue || wasHeld) return action;
  setWasHeld(true);
  return UPDATE_ACTION_NONE;
}

/** Hear how the action went. */
export function updateDone(result: i32, told: u32, nowMs: u32): void {
  if (result != 0) {
    fail(result, told, nowMs);
    return;
  }
  switch (step) {
    case STEP_LOAD:
      copy(HEAD + stepAt, UPDATE_BUFFER, length);
      if (stepAt + length < <u32>UPDATE_HEAD_BYTES) setStep(STEP_LOAD, stepAt + length);
      else loaded();
      return;
    case STEP_SCAN:
      scanned(address - bodyOffset(), length);
      return;
    case STEP_REPAIR:
      repaired();
      return;
    case STEP_SIGNATURE:
      verified();
      return;
    case STEP_ERASE:
      erased();
      return;
    case STEP_HEAD:
      if (stepAt + length < headBytes()) setStep(STEP_HEAD, stepAt + length);
      else receive(0);
      return;
    case STEP_PROGRAM:
      setStep(STEP_CHECK);
      return;
    case STEP_CHECK:
      checked();
      return;
    case STEP_HASH:
      hashed();
      return;
    case STEP_TEST:
      setPhase(UPDATE_PHASE_READY);
      break;
    case STEP_DISCARD:
      setPhase(UPDATE_PHASE_IDLE);
      setNext(0);
      break;
    case STEP_KEEP:
      store<u32>(UPDATE_CONFIG + UPDATE_CONFIG_CONFIRMED_VERSION, configWord(UPDATE_CONFIG_RUNNING_VERSION));
      store<u8>(UPDATE_CONFIG + UPDATE_CONFIG_IS_TRYING, 0);
      setPhase(UPDATE_PHASE_IDLE);
      setVerdict(UPDATE_VERDICT_NONE);
      break;
  }
  setAnswerDue(true);
  setStep(STEP_NONE);
}

/** What could not be done: a package that fails its test goes, a flash that fails is left alone. */
function fail(result: i32, told: u32, nowMs: u32): void {
  setAnswerDue(true);
  if (step == STEP_TEST) {
    discard(result, told);
    return;
  }
  // Of a switch the host may say that frames of the old epoch are still to be sent.
  const isBusy = step == STEP_SWITCH && result == UPDATE_VERDICT_BUSY;
  setVerdict(isBusy ? UPDATE_VERDICT_BUSY : UPDATE_VERDICT_FLASH_FAILED, told);
  if (step == STEP_GO_BACK || step == STEP_KEEP) {
    setTriedAtMs(nowMs); // tried again when the limit has passed once more
    setPhase(UPDATE_PHASE_TRYING);
  } else {
    setPhase(step == STEP_SWITCH ? UPDATE_PHASE_READY : UPDATE_PHASE_IDLE);
  }
  setStep(STEP_NONE);
}

function discard(why: u32, told: u32): void {
  setVerdict(why, told);
  setStep(STEP_DISCARD);
}

function verified(): void {
  const state = verifyPart(stepAt);
  if (state == 1) adopt();
  else if (state == 0) refuseSignature();
  else setStep(STEP_SIGNATURE, state - 2);
}

/** The head's sector goes first, so that no head ever stands before a body that is not its own. */
function erased(): void {
  const isModule = load<u8>(UPDATE_CANDIDATE + UPDATE_CANDIDATE_FORM) == UPDATE_FORM_MODULE;
  const end = isModule ? configWord(UPDATE_CONFIG_SLOT_BYTES) : bodyOffset() + bodyBytes();
  const at = stepAt + sectorBytes();
  if (at < end) setStep(STEP_ERASE, at);
  else setStep(STEP_HEAD);
}

function checked(): void {
  if (crc32(0, UPDATE_BUFFER, length) == chunkCrc) receive(next + chunkBytes);
  else {
    setVerdict(UPDATE_VERDICT_BAD_CHUNK, next);
    loadOther(); // as after a reset: the sector is erased and asked for again
  }
}

function hashed(): void {
  if (stepAt == 0) sha256Reset(HASH);
  sha256Update(HASH, UPDATE_BUFFER, length);
  if (stepAt + length < bodyBytes()) setStep(STEP_HASH, stepAt + length);
  else judge();
}

function judge(): void {
  sha256Finish(HASH, DIGEST);
  const isWhole = equalBytes(DIGEST, UPDATE_CANDIDATE + UPDATE_CANDIDATE_SHA256, DIGEST_BYTES);
  if (phase == UPDATE_PHASE_VERIFYING) {
    if (isWhole) setStep(STEP_TEST);
    else discard(UPDATE_VERDICT_BAD_DIGEST, 0);
  } else if (isWhole) {
    receive(bodyBytes()); // a test might hang: it is run only when the cloud asks
  } else repair();
}
