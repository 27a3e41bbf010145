/**
 * The device's side of the protocol, part zero: what it is, and the memory that it is lent. In this order: linkBegin,
 * linkMemory, linkDescribe, linkChannel for each channel, then linkOpen or linkRestore.
 */

import { isInteger53, writeBegin, writePosition } from "./cbor";
import { codecConfigure, codecSetChannel } from "./channel-config";
import { CONFIG, STATE } from "./device-memory";
import {
  BIRTH_BYTES_MAX,
  BIRTH_CHANNEL_BYTES_MAX,
  BIRTH_ENVELOPE_BYTES_MAX,
  describeChannel,
  describeDevice,
  ENVELOPE_BYTES_MAX,
  MOVED_BYTES_MAX,
  OUT_BYTES_LEAST,
} from "./envelope";
import { hashBytes } from "./hash";
import { configuredBytes, FLUSH_BYTES, MAX_CHANNEL_BYTES } from "./layout";
import { OUT_ROOM, PAYLOAD_BYTES_MAX, recordBytesMax, SEGMENTS_PER_RING } from "./link";
import { stopLookahead } from "./link-lookahead";
import {
  birthAt,
  birthLength,
  birthRoom,
  channelCount,
  channelsDescribed,
  deviceLength,
  headIndex,
  LINK_DOWN,
  lattices,
  mtu,
  outAt,
  outRoom,
  payloadMax,
  setBirthAt,
  setBirthHash,
  setBirthLength,
  setBirthRoom,
  setCapacity,
  setChannelCount,
  setChannelsDescribed,
  setDeviceLength,
  setDeviceText,
  setDirtyTo,
  setEpoch,
  setEvictedSamples,
  setFrameSamples,
  setIsGranted,
  setIsOpen,
  setKeyframeDue,
  setLastRecordMs,
  setLattices,
  setLinkPhase,
  setMtu,
  setNextSeq,
  setNonce,
  setOutAt,
  setOutRoom,
  setPayloadMax,
  setQuiet,
  setRefusal,
  setRingAt,
  setSegmentIndex,
  setSilenceMs,
  setStatusDue,
} from "./link-state";
import { RING_OVERHEAD, ringFormat, ringRestore, ringRewind, ringWriteHeader } from "./ring";
import { STATUS_LINK_CONFIG, STATUS_OUT_SMALL, STATUS_RING_SMALL } from "./status";

/** The caller's ring, which becomes `ringAt` only when the link opens. */
let lent: usize = 0;

/**
 * Begin a configuration; a link that was open is closed.
 *
 * @param samples  nominal samples of a frame, 1..65535
 * @param silence  longest time without a record while live, ms, >= 1
 * @param limit  longest message that the transport takes, 0 for no limit, else >= 32
 */
export function linkBegin(channels: i32, samples: i32, silence: i32, limit: i32): i32 {
  setRingAt(0);
  stopLookahead();
  const failure = codecConfigure(CONFIG, channels);
  if (failure < 0) return failure;
  const isSound = isWithin(samples, 1, 0xffff) & i32(silence >= 1) & i32(limit == 0 || limit >= 32);
  if (isSound == 0) return STATUS_LINK_CONFIG;
  setChannelCount(channels);
  setFrameSamples(samples);
  setSilenceMs(silence);
  setMtu(limit);
  setOutAt(0);
  setBirthAt(0);
  return 0;
}

/**
 * Lend the link its memory: a ring for frames not yet confirmed (kept from boot to boot if it is to outlive one), and a
 * buffer in which messages are composed. With an mtu it must hold the longest, of which fragments are made. Without one,
 * of a message that is longer than the buffer only head and seal are there, and the rest stays in the ring or the birth.
 *
 * Refused, the link has no memory.
 *
 * @param outBytes  of the buffer: `messageBytes` for whole messages; OUT_BYTES_LEAST, and the device's name and 24, at least
 * @param messageBytes  longest message with 16 bytes to spare, which bounds a frame's payload
 */
export function linkMemory(ring: usize, ringBytes: i32, out: usize, outBytes: i32, messageBytes: i32): i32 {
  const rowBytes = <i32>channelCount * MAX_CHANNEL_BYTES + FLUSH_BYTES + 4;
  setOutAt(0);
  if (messageBytes < <i32>OUT_ROOM + rowBytes + <i32>ENVELOPE_BYTES_MAX) return STATUS_OUT_SMALL;
  setPayloadMax(min<u32>(messageBytes - <i32>OUT_ROOM - ENVELOPE_BYTES_MAX, PAYLOAD_BYTES_MAX) & ~3);
  const before: i32 = mtu == 0 ? 0 : <i32>OUT_ROOM;
  const least: i32 = mtu == 0 ? OUT_BYTES_LEAST : payloadMax + ENVELOPE_BYTES_MAX;
  setOutRoom(outBytes - before);
  if (<i32>outRoom < least) return STATUS_OUT_SMALL;
  const room = (ringBytes - <i32>RING_OVERHEAD) & ~3;
  if (room < <i32>((SEGMENTS_PER_RING + 1) * recordBytesMax())) return STATUS_RING_SMALL;
  setCapacity(room);
  setOutAt(out + before);
  lent = ring;
  return 0;
}

/**
 * Describe the device.
 *
 * @param birth  caller-owned memory for the birth, of `room` bytes: 64 and the firmware's name, then for each channel 48
 *               and its texts are enough; behind what it came to, the memory is the caller's again
 * @param device  1..64 bytes that stay in place
 * @param model  32 bytes: SHA-256 of this module
 * @param firmware  0..32 bytes
 */
export function linkDescribe(
  birth: usize,
  room: i32,
  device: usize,
  deviceBytes: i32,
  periodNs: i64,
  model: usize,
  firmware: usize,
  firmwareBytes: i32,
): i32 {
  const isSound =
    isWithin(deviceBytes, 1, 64) & isWithin(firmwareBytes, 0, 32) & i32(periodNs != 0) & i32(isInteger53(periodNs));
  if (outAt == 0 || isSound == 0) return STATUS_LINK_CONFIG;
  if (room < BIRTH_BYTES_MAX + firmwareBytes) return STATUS_OUT_SMALL;
  setDeviceText(device);
  setDeviceLength(deviceBytes);
  setBirthAt(birth);
  setBirthRoom(room);
  writeBegin(birth);
  describeDevice(periodNs, model, firmware, firmwareBytes);
  setBirthLength(<i32>(writePosition() - birth));
  setChannelsDescribed(0);
  setLattices(0);
  return 0;
}

/**
 * Describe the next channel and configure its codec: value = (x + offset) mantissa 2^exponent, within
 * epsMantissa 2^epsExponent.
 *
 * @returns bytes that the birth has by now, or a negative status: STATUS_OUT_SMALL when the birth has too little room for
 *          the longest such one, STATUS_LINK_CONFIG when its history makes the state reach into the ring (set the channels
 *          before asking where memory is free)
 */
export function linkChannel(
  name: usize,
  nameBytes: i32,
  unit: usize,
  unitBytes: i32,
  e: i32,
  lattice: i32,
  historyShift: i32,
  offset: i64,
  mantissa: i32,
  exponent: i32,
  epsMantissa: i64,
  epsExponent: i32,
): i32 {
  const c = channelsDescribed;
  if (birthAt == 0 || c >= channelCount) return STATUS_LINK_CONFIG;
  const isSound =
    isWithin(nameBytes, 1, 32) &
    isWithin(unitBytes, 0, 16) &
    i32(isInteger53(abs(offset) | epsMantissa)) &
    i32(mantissa >= 1) &
    isWithin(exponent, -200, 200) &
    isWithin(epsExponent, -1100, 971);
  if (isSound == 0) return STATUS_LINK_CONFIG;
  if (birthRoom - birthLength < BIRTH_CHANNEL_BYTES_MAX + nameBytes + unitBytes) return STATUS_OUT_SMALL;
  const failure = codecSetChannel(CONFIG, c, e, lattice, historyShift);
  if (failure < 0) return failure;
  if (STATE + configuredBytes(CONFIG) > lent) return STATUS_LINK_CONFIG;
  writeBegin(birthAt + birthLength);
  describeChannel(
    name,
    nameBytes,
    unit,
    unitBytes,
    e,
    lattice,
    historyShift,
    offset,
    mantissa,
    exponent,
    epsMantissa,
    epsExponent,
  );
  setBirthLength(<i32>(writePosition() - birthAt));
  if (lattice > 1) setLattices(lattices | (1 << c));
  setChannelsDescribed(c + 1);
  return birthLength;
}

/** 1 or 0, so that several go into one number by `&`, which takes less code than a branch for each. Range: least <= most */
function isWithin(value: i32, least: i32, most: i32): i32 {
  return i32(<u32>(value - least) <= <u32>(most - least));
}

/** What both ways of opening share: all that the first keyframe, a connection and a welcome do not set anyway. */
function prepare(bootNonce: u32, nowMs: u32): i32 {
  if (birthAt == 0 || channelsDescribed != channelCount) return STATUS_LINK_CONFIG;
  const birthBytes = (mtu == 0 ? MOVED_BYTES_MAX : birthLength) + deviceLength + BIRTH_ENVELOPE_BYTES_MAX;
  if (birthBytes > <i32>outRoom) return STATUS_OUT_SMALL;
  setBirthHash(((<u64>hashBytes(1, birthAt, birthLength)) << 32) | hashBytes(2, birthAt, birthLength));
  setRingAt(lent);
  setNonce(bootNonce);
  setLinkPhase(LINK_DOWN);
  setNextSeq(0);
  setIsGranted(false);
  setQuiet(0);
  setKeyframeDue(true);
  setIsOpen(false);
  setLastRecordMs(nowMs);
  setEvictedSamples(0);
  setStatusDue(false);
  setRefusal(0);
  setDirtyTo(0);
  return 0;
}

/** Start with an empty ring. `named` is the epoch, 0 to be granted one. */
export function linkOpen(bootNonce: u32, named: u32, nowMs: u32): i32 {
  const failure = prepare(bootNonce, nowMs);
  if (failure < 0) return failure;
  setEpoch(named);
  ringFormat();
  ringRewind();
  return 0;
}

/**
 * Start with what an earlier boot left in the ring; the epoch wished for is the one after that boot's, if it had one.
 *
 * @returns frames adopted, STATUS_RING_EMPTY (then call linkOpen) or STATUS_RING_FOREIGN
 */
export function linkRestore(bootNonce: u32, nowMs: u32): i32 {
  const failure = prepare(bootNonce, nowMs);
  if (failure < 0) return failure;
  const adopted = ringRestore();
  if (adopted < 0) {
    setRingAt(0);
    return adopted;
  }
  setSegmentIndex(headIndex + adopted);
  ringRewind();
  ringWriteHeader();
  return adopted;
}
