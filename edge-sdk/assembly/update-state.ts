import { UPDATE_CANDIDATE, UPDATE_CANDIDATE_LENGTH } from "./update-memory";

/**
 * What the machine knows between two calls.
 *
 * `phase` is what the cloud is told, `step` what is being done:
 *
 *     boot:      LOAD (heads of both slots) ─▶ SCAN (what was received?) ─▶ [REPAIR] ─▶ [HEAD] ─▶ receiving
 *     begin:     [SIGNATURE] ─▶ ERASE … ─▶ HEAD … ─▶ receiving
 *     chunk:     PROGRAM ─▶ CHECK ─▶ receiving                 end: HASH … ─▶ TEST ─▶ ready
 *     activate:  SWITCH      confirm: KEEP      abort, time-out: GO_BACK      refused, aborted: DISCARD ─▶ idle
 */

export const UPDATE_PHASE_IDLE: u32 = 0;
export const UPDATE_PHASE_ERASING: u32 = 1;
export const UPDATE_PHASE_RECEIVING: u32 = 2;
export const UPDATE_PHASE_VERIFYING: u32 = 3;
export const UPDATE_PHASE_READY: u32 = 4;
export const UPDATE_PHASE_SWITCHING: u32 = 5;
export const UPDATE_PHASE_TRYING: u32 = 6;
export const UPDATE_PHASE_REVERTING: u32 = 7;

export const UPDATE_VERDICT_NONE: u32 = 0;
export const UPDATE_VERDICT_BAD_MANIFEST: u32 = 1;
export const UPDATE_VERDICT_UNKNOWN_KEY: u32 = 2;
export const UPDATE_VERDICT_BAD_SIGNATURE: u32 = 3;
export const UPDATE_VERDICT_VERSION_GOES_BACK: u32 = 4;
export const UPDATE_VERDICT_WRONG_TARGET: u32 = 5;
export const UPDATE_VERDICT_WRONG_ABI: u32 = 6;
export const UPDATE_VERDICT_WRONG_SLOT: u32 = 7;
export const UPDATE_VERDICT_TOO_LONG: u32 = 8;
export const UPDATE_VERDICT_TOO_MUCH_MEMORY: u32 = 9;
export const UPDATE_VERDICT_FLASH_FAILED: u32 = 10;
export const UPDATE_VERDICT_BAD_CHUNK: u32 = 11;
export const UPDATE_VERDICT_BAD_DIGEST: u32 = 12;
export const UPDATE_VERDICT_NOT_CONFIRMED: u32 = 17;
export const UPDATE_VERDICT_ABORTED: u32 = 18;
export const UPDATE_VERDICT_BUSY: u32 = 19;
export const UPDATE_VERDICT_WRONG_ORDER: u32 = 20;

export const STEP_NONE: u32 = 0;
export const STEP_LOAD: u32 = 1;
export const STEP_SCAN: u32 = 2;
export const STEP_REPAIR: u32 = 3;
export const STEP_SIGNATURE: u32 = 4;
export const STEP_ERASE: u32 = 5;
export const STEP_HEAD: u32 = 6;
export const STEP_PROGRAM: u32 = 7;
export const STEP_CHECK: u32 = 8;
export const STEP_HASH: u32 = 9;
export const STEP_TEST: u32 = 10;
export const STEP_DISCARD: u32 = 11;
export const STEP_SWITCH: u32 = 12;
export const STEP_KEEP: u32 = 13;
export const STEP_GO_BACK: u32 = 14;

export let phase: u32 = 0;
export let step: u32 = 0;
export let stepAt: u32 = 0; // how far the step is: an address, an offset in the body, a bit
export let sid: u32 = 0; // of what is under way, tried, or last refused
export let next: u32 = 0; // offset in the body of the next byte wanted
export let verdict: u32 = 0;
export let detail: u32 = 0;
export let answerDue: bool = false;
export let wasHeld: bool = false; // a switch or a going back has waited once for its answer to leave
export let loadSlot: u32 = 0; // of the head being read
export let lastByte: u32 = 0; // offset in the body of the last byte that was found written
export let chunkBytes: u32 = 0; // of the chunk in the buffer
export let chunkCrc: u32 = 0;
export let acknowledged: i32 = 0; // frames of this epoch
export let stackBytes: u32 = 0;
export let triedAtMs: u32 = 0;

export function setPhase(value: u32): void {
  phase = value;
}
export function setStep(value: u32, at: u32 = 0): void {
  step = value;
  stepAt = at;
}
export function setSid(value: u32): void {
  sid = value;
}
export function setNext(value: u32): void {
  next = value;
}
export function setVerdict(value: u32, told: u32 = 0): void {
  verdict = value;
  detail = told;
}
export function setAnswerDue(value: bool): void {
  answerDue = value;
}
export function setWasHeld(value: bool): void {
  wasHeld = value;
}
export function setLoadSlot(value: u32): void {
  loadSlot = value;
}
export function setLastByte(value: u32): void {
  lastByte = value;
}
export function setChunk(bytes: u32, crc: u32): void {
  chunkBytes = bytes;
  chunkCrc = crc;
}
export function setAcknowledged(value: i32): void {
  acknowledged = value;
}
export function setStackBytes(value: u32): void {
  stackBytes = value;
}
export function setTriedAtMs(value: u32): void {
  triedAtMs = value;
}

/** Bytes of the body under way. */
export function bodyBytes(): u32 {
  return load<u32>(UPDATE_CANDIDATE + UPDATE_CANDIDATE_LENGTH);
}

/** Whether what an earlier boot left is still being looked for: until then nobody is answered. */
export function isLoading(): bool {
  return step == STEP_LOAD || step == STEP_SCAN;
}
