/** What the cloud says about updates: nothing takes effect unless the whole frame is canonical, sealed and for this boot. */
import {
  copy,
  loadBigEndian,
  MAJOR_ARRAY,
  MAJOR_BYTES,
  readBegin,
  readHeader,
  readIsDone,
  readIsSound,
  readPosition,
  readString,
  readUint,
} from "./cbor";
import { crc32 } from "./crc32";
import { hashBytes } from "./hash";
import { chunkLimit } from "./update-answer";
import { composeHead } from "./update-head";
import { ACK_HEAD, hearAck } from "./update-lost";
import { admitManifest, sessionOf } from "./update-manifest";
import {
  configWord,
  UPDATE_BUFFER,
  UPDATE_CONFIG_NONCE,
  UPDATE_CONFIG_WRITE_UNIT,
  UPDATE_INPUT,
  UPDATE_INPUT_BYTES,
  UPDATE_KEY_HMAC_SHA256,
  UPDATE_OUTPUT,
  UPDATE_STATUS_NOT_FOR_US,
  UPDATE_STATUS_REFUSED,
} from "./update-memory";
import { findKey } from "./update-signature";
import {
  acknowledged,
  bodyBytes,
  isLoading,
  next,
  phase,
  STEP_DISCARD,
  STEP_GO_BACK,
  STEP_HASH,
  STEP_KEEP,
  STEP_NONE,
  STEP_PROGRAM,
  STEP_SIGNATURE,
  STEP_SWITCH,
  setAnswerDue,
  setChunk,
  setPhase,
  setSid,
  setStep,
  setVerdict,
  setWasHeld,
  sid,
  step,
  UPDATE_PHASE_ERASING,
  UPDATE_PHASE_IDLE,
  UPDATE_PHASE_READY,
  UPDATE_PHASE_RECEIVING,
  UPDATE_PHASE_REVERTING,
  UPDATE_PHASE_SWITCHING,
  UPDATE_PHASE_TRYING,
  UPDATE_PHASE_VERIFYING,
  UPDATE_VERDICT_ABORTED,
  UPDATE_VERDICT_BAD_CHUNK,
  UPDATE_VERDICT_BAD_SIGNATURE,
  UPDATE_VERDICT_BUSY,
  UPDATE_VERDICT_NONE,
  UPDATE_VERDICT_TOO_LONG,
  UPDATE_VERDICT_UNKNOWN_KEY,
  UPDATE_VERDICT_WRONG_ORDER,
  verdict,
} from "./update-state";
import { adopt } from "./update-steps";

/** 16 times the wire's version, and kind 11. */
export const FLASH_HEAD: u32 = 27;
export const OP_STATE: u32 = 8;
const OP_ASK: u32 = 0;
const OP_BEGIN: u32 = 1;
const OP_CHUNK: u32 = 2;
const OP_END: u32 = 3;
const OP_ACTIVATE: u32 = 4;
const OP_CONFIRM: u32 = 5;
const OP_ABORT: u32 = 6;

const ELEMENTS_LEAST: u32 = 4;
const ELEMENTS_MAX: u32 = 18;
const ELEMENTS_OF_BEGIN_AND_CHUNK: u32 = 8;
const ELEMENTS_WITH_SID: u32 = 5;
const SEAL_BYTES: i32 = 5;
const SEAL_HEADER: u32 = 0x44;
const U32: u32 = 0xffffffff;
const MANIFEST_BYTES_MAX: u32 = 256;
const SIGNATURE_BYTES: i32 = 64;
const CODE_BYTES: i32 = 32;
const KEY_ID_BYTES: i32 = 8;
const DATA_BYTES_MAX: u32 = 256;

/** Hear the message of `length` bytes at UPDATE_INPUT. @returns 1, 0 when it is none of ours, or an UPDATE_STATUS */
export function updateReceive(length: i32, _nowMs: u32): i32 {
  if (<u32>length > <u32>UPDATE_INPUT_BYTES) return 0;
  readBegin(UPDATE_INPUT, length);
  const elements = readHeader(MAJOR_ARRAY, ELEMENTS_MAX);
  const head = readUint(FLASH_HEAD);
  if (head == ACK_HEAD && isSealed(length)) hearAck();
  if (!readIsSound() || head != FLASH_HEAD || elements < ELEMENTS_LEAST) return 0;
  if (!isSealed(length)) return UPDATE_STATUS_REFUSED;
  const isOurs = readUint(U32) == configWord(UPDATE_CONFIG_NONCE);
  const op = readUint(OP_ABORT);
  if (elements != elementsOf(op)) return UPDATE_STATUS_REFUSED;
  if (op == OP_BEGIN) return hearBegin(isOurs);
  if (op == OP_CHUNK) return hearChunk(isOurs);
  const named = op == OP_ASK ? 0 : readUint(U32);
  const refusal = refusalOf(isOurs);
  if (refusal != 0) return refusal;
  setAnswerDue(true);
  if (op != OP_ASK && isAbout(named)) hearStep(op);
  return 1;
}

/** Whether the last five bytes are the checksum of all before. */
function isSealed(length: i32): bool {
  const content = length - SEAL_BYTES;
  if (content < 0) return false;
  const seal = UPDATE_INPUT + <usize>content;
  return load<u8>(seal) == SEAL_HEADER && <u32>loadBigEndian(seal + 1, 4) == hashBytes(0, UPDATE_INPUT, content);
}

function elementsOf(op: u32): u32 {
  if (op == OP_ASK) return ELEMENTS_LEAST;
  return op <= OP_CHUNK ? ELEMENTS_OF_BEGIN_AND_CHUNK : ELEMENTS_WITH_SID;
}

/** Read the seal, the last element. @returns 0, or the status of a frame that takes no effect */
function refusalOf(isOurs: bool): i32 {
  if (readString(MAJOR_BYTES, 4) != 4 || !readIsDone() || !readIsSound()) return UPDATE_STATUS_REFUSED;
  return isOurs ? 0 : UPDATE_STATUS_NOT_FOR_US;
}

/** Whether a frame is about what is under way, and may change it; one that comes out of order leaves its mark. */
function isAbout(named: u32): bool {
  if (isLoading()) return false;
  if (named == sid) return true;
  if (verdict == UPDATE_VERDICT_NONE) setVerdict(UPDATE_VERDICT_WRONG_ORDER, next);
  return false;
}

function hearBegin(isOurs: bool): i32 {
  const length = readString(MAJOR_BYTES, MANIFEST_BYTES_MAX);
  const manifest = readPosition() - <usize>length;
  const algorithm = readUint(UPDATE_KEY_HMAC_SHA256);
  const isNamed = readString(MAJOR_BYTES, KEY_ID_BYTES) == KEY_ID_BYTES;
  const key = readPosition() - <usize>KEY_ID_BYTES;
  const signatureBytes = algorithm == UPDATE_KEY_HMAC_SHA256 ? CODE_BYTES : SIGNATURE_BYTES;
  const isSigned = readString(MAJOR_BYTES, SIGNATURE_BYTES) == signatureBytes;
  const signature = readPosition() - <usize>signatureBytes;
  const refusal = refusalOf(isOurs);
  if (refusal == UPDATE_STATUS_REFUSED || length == 0 || !isNamed || !isSigned) return UPDATE_STATUS_REFUSED;
  if (refusal != 0) return refusal;
  setAnswerDue(true);
  if (isLoading() || (sessionOf(manifest, length) == sid && isUnderWay())) return 1;
  offer(manifest, length, algorithm, key, signature, signatureBytes);
  return 1;
}

/** Whether a package of which `sid` is the name is being received, or was. */
function isUnderWay(): bool {
  return phase != UPDATE_PHASE_IDLE && phase < UPDATE_PHASE_REVERTING;
}

/** Take a package that is not under way, or say why not. What is under way goes on until another is taken. */
function offer(manifest: usize, length: i32, algorithm: u32, key: usize, signature: usize, signatureBytes: i32): void {
  const named = sessionOf(manifest, length);
  if (step == STEP_SIGNATURE && named == offered) {
    setAnswerDue(false); // it is answered when it is known whose it is
    return;
  }
  if (phase > UPDATE_PHASE_READY || step != STEP_NONE) {
    // What goes back takes its verdict with it: another must not stand in its place.
    if (phase != UPDATE_PHASE_REVERTING) setVerdict(UPDATE_VERDICT_BUSY);
    return;
  }
  offered = named;
  if (!admitManifest(manifest, length, UPDATE_OUTPUT)) {
    refuseOffer();
    return;
  }
  const trusted = findKey(algorithm, key);
  if (trusted == 0) {
    setVerdict(UPDATE_VERDICT_UNKNOWN_KEY);
    refuseOffer();
    return;
  }
  const state = composeHead(manifest, length, algorithm, key, signature, signatureBytes, trusted);
  if (state == 0) refuseSignature();
  else if (state == 1) adopt();
  else {
    setAnswerDue(false);
    setStep(STEP_SIGNATURE);
  }
}

let offered: u32 = 0; // sid of the package offered last

/** The signature that was offered is not the key's. */
export function refuseSignature(): void {
  setVerdict(UPDATE_VERDICT_BAD_SIGNATURE);
  refuseOffer();
}

/** With nothing under way the verdict is about what was offered. */
function refuseOffer(): void {
  setStep(STEP_NONE);
  setAnswerDue(true);
  if (phase == UPDATE_PHASE_IDLE) setSid(offered);
}

function hearChunk(isOurs: bool): i32 {
  const named = readUint(U32);
  const offset = readUint(U32);
  const length = readString(MAJOR_BYTES, DATA_BYTES_MAX);
  const data = readPosition() - <usize>length;
  const crc = readUint(U32);
  const refusal = refusalOf(isOurs);
  if (refusal == UPDATE_STATUS_REFUSED || length == 0) return UPDATE_STATUS_REFUSED;
  if (refusal != 0) return refusal;
  setAnswerDue(true);
  if (!isAbout(named) || phase != UPDATE_PHASE_RECEIVING || offset != next || step != STEP_NONE) return 1;
  const end = offset + <u32>length;
  const isPart = end < bodyBytes() && (end & (configWord(UPDATE_CONFIG_WRITE_UNIT) - 1)) != 0;
  if (end > bodyBytes()) setVerdict(UPDATE_VERDICT_TOO_LONG, bodyBytes());
  else if (isPart || <u32>length > chunkLimit()) setVerdict(UPDATE_VERDICT_WRONG_ORDER, next);
  else if (crc32(0, data, length) != crc) setVerdict(UPDATE_VERDICT_BAD_CHUNK, offset);
  else {
    // answered when it stands in flash
    setAnswerDue(false);
    setVerdict(UPDATE_VERDICT_NONE);
    memory.fill(UPDATE_BUFFER, 0xff, DATA_BYTES_MAX);
    copy(UPDATE_BUFFER, data, length);
    setChunk(length, crc);
    setStep(STEP_PROGRAM);
  }
  return 1;
}

/** A frame of one step; what its phase has no use for is answered as it is. */
function hearStep(op: u32): void {
  if (op == OP_ABORT) {
    abort();
    return;
  }
  const isEarly = phase == UPDATE_PHASE_ERASING || phase == UPDATE_PHASE_RECEIVING;
  if (op == OP_END && phase == UPDATE_PHASE_RECEIVING && next == bodyBytes()) {
    if (step == STEP_NONE) start(UPDATE_PHASE_VERIFYING, STEP_HASH);
  } else if (op == OP_ACTIVATE && phase == UPDATE_PHASE_READY) {
    if (step == STEP_NONE) start(UPDATE_PHASE_SWITCHING, STEP_SWITCH);
  } else if (op == OP_CONFIRM && phase == UPDATE_PHASE_TRYING) {
    if (step == STEP_NONE && acknowledged > 0) {
      setAnswerDue(false);
      setStep(STEP_KEEP);
    }
  } else if (isEarly || (op == OP_CONFIRM && phase != UPDATE_PHASE_IDLE && phase < UPDATE_PHASE_TRYING)) {
    setVerdict(UPDATE_VERDICT_WRONG_ORDER, next);
  }
}

function start(nextPhase: u32, nextStep: u32): void {
  setVerdict(UPDATE_VERDICT_NONE);
  setPhase(nextPhase);
  setWasHeld(false);
  setStep(nextStep);
}

function abort(): void {
  if (phase == UPDATE_PHASE_TRYING && step == STEP_NONE) {
    start(UPDATE_PHASE_REVERTING, STEP_GO_BACK);
    setVerdict(UPDATE_VERDICT_ABORTED);
  } else if (phase != UPDATE_PHASE_IDLE && phase <= UPDATE_PHASE_SWITCHING) {
    setVerdict(UPDATE_VERDICT_ABORTED);
    setStep(STEP_DISCARD);
  }
}
