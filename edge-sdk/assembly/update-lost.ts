/**
 * Frames that no boot can send any more: of a model that was tried and left before the cloud had taken them all. A status
 * (protocol/SPEC.md, section 3.5) says so of their epoch until that is acknowledged: a gap, and not a silence.
 */
import { MAJOR_ARRAY, readUint, writeBegin, writeHash, writeHeader, writeLong, writePosition, writeUint } from "./cbor";
import { hashBytes } from "./hash";
import { configWord, UPDATE_CONFIG_NONCE, UPDATE_OUTPUT } from "./update-memory";

/** 16 times the wire's version, and kind 4. */
export const ACK_HEAD: u32 = 20;
const STATUS_HEAD: u32 = 21;
const STATUS_ELEMENTS: u32 = 9;
const SEAL_BYTES: usize = 4;
const U32: u32 = 0xffffffff;
/** Of the wait before it is said again, which doubles. */
const WAIT_FIRST_MS: u32 = 1000;
const WAIT_LONGEST_MS: u32 = 32000;

let epoch: u32 = 0; // 0: none is lost
let end: u32 = 0;
let toldAtMs: u32 = 0;
let waitMs: u32 = 0;

/** Nothing of an epoch can be sent any more; below `seq` it had frames. @param lost  0: of none */
export function updateLost(lost: u32, seq: u32): void {
  epoch = lost;
  end = seq;
  waitMs = 0;
}

/**
 * Compose at UPDATE_OUTPUT what is lost, if it is to be said by now; only while the cloud knows this boot.
 *
 * @returns its bytes, 0: not now, -1: nothing is lost, or the cloud knows it
 */
export function updateLostPoll(timeUs: i64, nowMs: u32): i32 {
  if (epoch == 0) return -1;
  if (nowMs - toldAtMs < waitMs) return 0;
  toldAtMs = nowMs;
  waitMs = waitMs == 0 ? WAIT_FIRST_MS : min<u32>(2 * waitMs, WAIT_LONGEST_MS);
  writeBegin(UPDATE_OUTPUT);
  writeHeader(MAJOR_ARRAY, STATUS_ELEMENTS);
  writeUint(STATUS_HEAD);
  writeUint(configWord(UPDATE_CONFIG_NONCE));
  writeUint(epoch);
  writeUint(end);
  writeUint(end);
  writeUint(0);
  writeUint(0);
  writeLong(timeUs);
  writeHash(hashBytes(0, UPDATE_OUTPUT, <i32>(writePosition() - UPDATE_OUTPUT)), SEAL_BYTES);
  return <i32>(writePosition() - UPDATE_OUTPUT);
}

/** Hear a sound ack, read up to its head. The link hears it too. */
export function hearAck(): void {
  if (readUint(U32) == configWord(UPDATE_CONFIG_NONCE) && readUint(U32) == epoch && readUint(U32) >= end) epoch = 0;
}
