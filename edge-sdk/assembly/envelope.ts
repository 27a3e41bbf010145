/**
 * Frames as bytes: what protocol/SPEC.md, section 3, says a device sends, composed at `outAt`. Every compose function
 * returns the address after what it wrote, where the seal is missing; `sealFrame` puts it there.
 */
import {
  copy,
  MAJOR_ARRAY,
  MAJOR_BYTES,
  MAJOR_TEXT,
  writeHash,
  writeHeader,
  writeInt,
  writeLong,
  writeString,
  writeUint,
} from "./cbor";
import { hashBytes } from "./hash";
import {
  birthAt,
  birthHash,
  birthLength,
  capacity,
  channelCount,
  deviceLength,
  deviceText,
  epoch,
  evictedSamples,
  frameSamples,
  nonce,
  outAt,
  silenceMs,
  usedBytes,
} from "./link-state";
import {
  KIND_HEARTBEAT,
  KIND_KEYFRAME,
  RECORD_FLAGS,
  RECORD_KIND,
  RECORD_LATTICES,
  RECORD_PAYLOAD_BYTES,
  RECORD_QUIET,
  RECORD_RING_FILL,
  RECORD_SAMPLES,
  RECORD_STATE_HASH,
  RECORD_TIME,
  recordHeaderBytes,
} from "./ring";

/** Wire version, the upper part of every head. */
export const WIRE_VERSION: u32 = 1;

const KIND_FRAGMENT: u32 = 3;
const KIND_STATUS: u32 = 5;
const KIND_BIRTH: u32 = 7;
const KIND_PRESENCE: u32 = 10;

/** Most bytes of a sequenced frame around its payload: a keyframe with every number at its longest. */
export const ENVELOPE_BYTES_MAX: u32 = 56;
/** Most bytes in front of a fragment's chunk. */
export const FRAGMENT_BYTES_MAX: u32 = 14;
/** Most bytes of a birth in front of what its hash covers, without the device's name, and of its seal. */
export const BIRTH_ENVELOPE_BYTES_MAX: u32 = 20;
/** Most bytes of what the hash covers in front of the channels, and of one channel, without their texts. */
export const BIRTH_BYTES_MAX: i32 = 64;
export const BIRTH_CHANNEL_BYTES_MAX: i32 = 48;

function beginFrame(at: usize, elements: u32, kind: u32): usize {
  return writeUint(writeHeader(at, MAJOR_ARRAY, elements), 16 * WIRE_VERSION + kind);
}

/** Seal the frame that ends at `at`. @returns its whole length */
export function sealFrame(at: usize, seed: u32): u32 {
  return <u32>(writeHash(at, hashBytes(seed, outAt, <i32>(at - outAt)), 4) - outAt);
}

/**
 * The part of a birth that its hash covers, up to the channels, which `describeChannel` appends one by one.
 *
 * @param room  bytes at `at`; BIRTH_BYTES_MAX and the firmware's name are enough
 */
export function describeDevice(at: usize, periodNs: i64, model: usize, firmware: usize, firmwareLength: i32): usize {
  at = writeString(at, MAJOR_BYTES, model, 32);
  at = writeUint(at, frameSamples);
  at = writeLong(at, periodNs);
  at = writeUint(at, silenceMs);
  at = writeUint(at, capacity);
  at = writeString(at, MAJOR_TEXT, firmware, firmwareLength);
  return writeHeader(at, MAJOR_ARRAY, channelCount);
}

/** One channel of a birth. */
export function describeChannel(
  at: usize,
  name: usize,
  nameLength: i32,
  unit: usize,
  unitLength: i32,
  e: i32,
  lattice: i32,
  historyShift: i32,
  offset: i64,
  mantissa: i32,
  exponent: i32,
  epsMantissa: i64,
  epsExponent: i32,
): usize {
  at = writeHeader(at, MAJOR_ARRAY, 10);
  at = writeString(at, MAJOR_TEXT, name, nameLength);
  at = writeString(at, MAJOR_TEXT, unit, unitLength);
  at = writeUint(at, e);
  at = writeUint(at, lattice);
  at = writeUint(at, historyShift);
  at = writeInt(at, offset);
  at = writeUint(at, mantissa);
  at = writeInt(at, exponent);
  at = writeLong(at, epsMantissa);
  return writeInt(at, epsExponent);
}

/** The birth as it stands now. */
export function composeBirth(): usize {
  let at = beginFrame(outAt, 12, KIND_BIRTH);
  at = writeString(at, MAJOR_TEXT, deviceText, deviceLength);
  at = writeUint(at, nonce);
  at = writeUint(at, epoch);
  return copy(at, birthAt, birthLength);
}

/** A record of the ring as the frame it stands for, at its place in the sequence. */
export function composeRecord(record: usize, ofEpoch: u32, seq: u32): usize {
  const kind: u32 = load<u8>(record, RECORD_KIND);
  let at = beginFrame(outAt, kind == KIND_KEYFRAME ? 9 : 6, kind);
  if (kind == KIND_KEYFRAME) {
    at = writeUint(at, ofEpoch);
    at = writeUint(at, seq);
    at = writeHash(at, birthHash, 8);
    at = writeLong(at, load<u64>(record, RECORD_TIME));
    at = writeUint(at, load<u16>(record, RECORD_LATTICES));
  } else {
    at = writeUint(at, position(ofEpoch, seq));
    at = writeUint(at, load<u32>(record, RECORD_QUIET));
  }
  if (kind == KIND_HEARTBEAT) {
    at = writeLong(at, load<u64>(record, RECORD_TIME));
    at = writeUint(at, load<u16>(record, RECORD_RING_FILL));
  } else {
    const samples: u32 = load<u16>(record, RECORD_SAMPLES);
    at = writeUint(at, 4 * (samples == frameSamples ? 0 : samples) + load<u8>(record, RECORD_FLAGS));
    at = writeString(at, MAJOR_BYTES, record + recordHeaderBytes(kind), load<u16>(record, RECORD_PAYLOAD_BYTES));
  }
  return at;
}

/** Seed of a record's seal, worked out in the twelve bytes at `at`, where the seal itself may go afterwards. */
export function recordSeed(at: usize, record: usize, ofEpoch: u32, seq: u32): u32 {
  store<u32>(at, ofEpoch);
  store<u32>(at, seq, 4);
  store<u32>(at, load<u32>(record, RECORD_STATE_HASH), 8);
  return hashBytes(hashBytes(0, deviceText, deviceLength), at, 12);
}

/** Epoch and seq in 16 bits. */
export function position(ofEpoch: u32, seq: u32): u32 {
  return ((ofEpoch & 15) << 12) | (seq & 0xfff);
}

/** What is held of an epoch: asks the cloud for an ack and declares what was dropped. */
export function composeStatus(ofEpoch: u32, oldest: u32, next: u32, timeUs: u64): usize {
  let at = beginFrame(outAt, 9, KIND_STATUS);
  at = writeUint(at, nonce);
  at = writeUint(at, ofEpoch);
  at = writeUint(at, oldest);
  at = writeUint(at, next);
  at = writeLong(at, evictedSamples);
  at = writeUint(at, ringFill());
  return writeLong(at, timeUs);
}

/** Whether the device is there; with `online` 0 it is the last will. */
export function composePresence(online: u32): usize {
  const at = beginFrame(outAt, 4, KIND_PRESENCE);
  return writeUint(writeUint(at, nonce), online);
}

/**
 * The header of a fragment, written so that it ends where its chunk begins: over the FRAGMENT_BYTES_MAX bytes before.
 *
 * @returns address of the fragment's first byte
 */
export function composeFragment(chunk: usize, bytes: i32, id: u32, index: u32, count: u32): usize {
  const farthest = chunk - FRAGMENT_BYTES_MAX;
  const length = writeFragmentHeader(farthest, bytes, id, index, count) - farthest;
  writeFragmentHeader(chunk - length, bytes, id, index, count);
  return chunk - length;
}

function writeFragmentHeader(from: usize, bytes: i32, id: u32, index: u32, count: u32): usize {
  let at = beginFrame(from, 5, KIND_FRAGMENT);
  at = writeUint(at, id);
  at = writeUint(at, index);
  at = writeUint(at, count);
  return writeHeader(at, MAJOR_BYTES, bytes);
}

/** Thousandths of the ring in use, rounded up. No memory of the core reaches 4 MiB, where 32 bits would end. */
export function ringFill(): u32 {
  return (usedBytes * 1000 + capacity - 1) / capacity;
}

/** Id of the fragments of a frame outside the sequence; those of a sequenced one bear its position. */
export function ownFragmentId(): u32 {
  return 0x10000 | (nonce & 0xffff);
}
