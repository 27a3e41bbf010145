/**
 * Frames as bytes: what protocol/SPEC.md, section 3, says a device sends, composed at `outAt`. What follows behind what
 * a compose function wrote, a payload or most of a birth, is the rest, which stays where it is. `sealFrame` puts the seal
 * behind, and the rest in between where the buffer has room for it:
 *
 *     whole      [ head | rest | seal ]
 *     in parts   [ head, up to 3 bytes of the rest | seal ]     the others of the rest
 */
import {
  MAJOR_ARRAY,
  MAJOR_BYTES,
  MAJOR_TEXT,
  writeBegin,
  writeCopy,
  writeHash,
  writeHeader,
  writeInt,
  writeLong,
  writePosition,
  writeString,
  writeUint,
} from "./cbor";
import { hashBytes, hashEnd, hashWords } from "./hash";
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
  outRoom,
  restAt,
  restBytes,
  setRestAt,
  setRestBytes,
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

/** The seal: a byte string of four. */
export const SEAL_BYTES: u32 = 5;
/** Least buffer: a keyframe in parts, and twelve bytes in the place of its seal. */
export const OUT_BYTES_LEAST: i32 = 64;
/** Most bytes of the rest that go with the head, so that it is whole words. */
export const MOVED_BYTES_MAX: i32 = 3;

function beginFrame(elements: u32, kind: u32): void {
  setRestBytes(0);
  writeBegin(outAt);
  writeFrameHead(elements, kind);
}

function writeFrameHead(elements: u32, kind: u32): void {
  writeHeader(MAJOR_ARRAY, elements);
  writeUint(16 * WIRE_VERSION + kind);
}

/** Seal the frame whose head was written. @returns its whole length, with the rest */
export function sealFrame(seed: u32): u32 {
  const head = <u32>(writePosition() - outAt);
  const whole = head + restBytes;
  // What does not fit into the least buffer has a rest of more than three bytes
  const moved = whole + SEAL_BYTES <= outRoom ? restBytes : -head & 3;
  writeCopy(restAt, moved);
  setRestAt(restAt + moved);
  setRestBytes(restBytes - moved);
  // Without a rest the head may end within a word, with one it does not
  const words = (head + moved) & ~3;
  let last = restAt;
  if (restBytes == 0) last = outAt + words;
  writeHash(hashEnd(hashWords(seed, outAt, words), last, whole - words, whole), 4);
  return whole + SEAL_BYTES;
}

/** What follows the head. */
function follow(rest: usize, bytes: u32): void {
  setRestAt(rest);
  setRestBytes(bytes);
}

/**
 * Write the part of a birth that its hash covers, up to the channels, which `describeChannel` appends one by one. Room for
 * BIRTH_BYTES_MAX and the firmware's name is enough.
 */
export function describeDevice(periodNs: i64, model: usize, firmware: usize, firmwareLength: i32): void {
  writeString(MAJOR_BYTES, model, 32);
  writeUint(frameSamples);
  writeLong(periodNs);
  writeUint(silenceMs);
  writeUint(capacity);
  writeString(MAJOR_TEXT, firmware, firmwareLength);
  writeHeader(MAJOR_ARRAY, channelCount);
}

/** Write one channel of a birth. */
export function describeChannel(
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
): void {
  writeHeader(MAJOR_ARRAY, 10);
  writeString(MAJOR_TEXT, name, nameLength);
  writeString(MAJOR_TEXT, unit, unitLength);
  writeUint(e);
  writeUint(lattice);
  writeUint(historyShift);
  writeInt(offset);
  writeUint(mantissa);
  writeInt(exponent);
  writeLong(epsMantissa);
  writeInt(epsExponent);
}

/** The birth as it stands now. */
export function composeBirth(): void {
  beginFrame(12, KIND_BIRTH);
  writeString(MAJOR_TEXT, deviceText, deviceLength);
  writeUint(nonce);
  writeUint(epoch);
  follow(birthAt, birthLength);
}

/** A record of the ring as the frame it stands for, at its place in the sequence. */
export function composeRecord(record: usize, ofEpoch: u32, seq: u32): void {
  const kind: u32 = load<u8>(record, RECORD_KIND);
  beginFrame(kind == KIND_KEYFRAME ? 9 : 6, kind);
  if (kind == KIND_KEYFRAME) {
    writeUint(ofEpoch);
    writeUint(seq);
    writeHash(birthHash, 8);
    writeLong(load<u64>(record, RECORD_TIME));
    writeUint(load<u16>(record, RECORD_LATTICES));
  } else {
    writeUint(position(ofEpoch, seq));
    writeUint(load<u32>(record, RECORD_QUIET));
  }
  if (kind == KIND_HEARTBEAT) {
    writeLong(load<u64>(record, RECORD_TIME));
    writeUint(load<u16>(record, RECORD_RING_FILL));
  } else {
    const samples: u32 = load<u16>(record, RECORD_SAMPLES);
    writeUint(4 * (samples == frameSamples ? 0 : samples) + load<u8>(record, RECORD_FLAGS));
    const bytes: u32 = load<u16>(record, RECORD_PAYLOAD_BYTES);
    writeHeader(MAJOR_BYTES, bytes);
    follow(record + recordHeaderBytes(kind), bytes);
  }
}

/** Seed of a record's seal, worked out in the twelve bytes behind its head, where the seal itself may go afterwards. */
export function recordSeed(record: usize, ofEpoch: u32, seq: u32): u32 {
  const at = writePosition();
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
export function composeStatus(ofEpoch: u32, oldest: u32, next: u32, timeUs: u64): void {
  beginFrame(9, KIND_STATUS);
  writeUint(nonce);
  writeUint(ofEpoch);
  writeUint(oldest);
  writeUint(next);
  writeLong(evictedSamples);
  writeUint(ringFill());
  writeLong(timeUs);
}

/** Whether the device is there; with `online` 0 it is the last will. */
export function composePresence(online: u32): void {
  beginFrame(4, KIND_PRESENCE);
  writeUint(nonce);
  writeUint(online);
}

/**
 * The header of a fragment, written so that it ends where its chunk begins: over the FRAGMENT_BYTES_MAX bytes before.
 *
 * @returns address of the fragment's first byte
 */
export function composeFragment(chunk: usize, bytes: i32, id: u32, index: u32, count: u32): usize {
  const farthest = chunk - FRAGMENT_BYTES_MAX;
  writeFragmentHeader(farthest, bytes, id, index, count);
  const first = chunk - (writePosition() - farthest);
  writeFragmentHeader(first, bytes, id, index, count);
  return first;
}

function writeFragmentHeader(from: usize, bytes: i32, id: u32, index: u32, count: u32): void {
  writeBegin(from);
  writeFrameHead(5, KIND_FRAGMENT);
  writeUint(id);
  writeUint(index);
  writeUint(count);
  writeHeader(MAJOR_BYTES, bytes);
}

/** Thousandths of the ring in use, rounded up. No memory of the core reaches 4 MiB, where 32 bits would end. */
export function ringFill(): u32 {
  return (usedBytes * 1000 + capacity - 1) / capacity;
}

/** Id of the fragments of a frame outside the sequence; those of a sequenced one bear its position. */
export function ownFragmentId(): u32 {
  return 0x10000 | (nonce & 0xffff);
}
