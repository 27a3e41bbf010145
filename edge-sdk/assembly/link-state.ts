/**
 * What the link knows between two calls: working values that no peer shares, hence wasm globals (two bytes of code per
 * access, where a memory block takes six). What is true or false is 1 or 0: a bool would be made one at every setting.
 * Times in ms are the host's monotonic clock and wrap.
 */

/** Link phases. */
export const LINK_DOWN: u32 = 0;
export const LINK_GREETING: u32 = 1;
export const LINK_LIVE: u32 = 2;

// What the device is: linkBegin, linkMemory and linkDescribe set these once.
export let channelCount: u32 = 0;
export let frameSamples: u32 = 0; // nominal samples of a frame
export let silenceMs: i32 = 0; // longest time without a record while live
export let mtu: u32 = 0; // longest message, 0: no limit
export let nonce: u32 = 0; // of this boot
export let deviceText: usize = 0; // address of the name
export let deviceLength: i32 = 0;
export let birthAt: usize = 0; // the part of the birth that its hash covers, in CBOR
export let birthLength: i32 = 0; // so far
export let birthRoom: i32 = 0;
export let channelsDescribed: u32 = 0;
export let birthHash: u64 = 0;
export let outAt: usize = 0; // where messages are composed, behind the room for a fragment's header
export let outRoom: u32 = 0; // bytes from there on
export let payloadMax: u32 = 0; // bytes that a data record's payload may have, a multiple of 4

// The ring (ring.ts): its memory, its oldest record's place and name, its end.
export let ringAt: usize = 0; // 0: the link is not open
export let capacity: u32 = 0; // bytes for records
export let generation: u32 = 0; // of the header last written
export let head: u32 = 0; // offset of the oldest record
export let headIndex: u32 = 0; // its number since the ring was formatted
export let headEpoch: u32 = 0; // 0: the running epoch
export let headSeq: u32 = 0;
export let tail: u32 = 0; // offset after the newest record
export let recordCount: u32 = 0;
export let usedBytes: u32 = 0;
export let dirtyFrom: u32 = 0; // records changed since the host last looked, offsets from ringAt
export let dirtyTo: u32 = 0;
export let headerDirty: u32 = 0; // a header copy changed too

// The stream: what the next frame will be.
export let epoch: u32 = 0; // granted or, until then, wished for; 0: any
export let isGranted: u32 = 0; // the cloud has said that the epoch is this boot's
export let nextSeq: u32 = 0;
export let segmentIndex: u32 = 0; // number of the running segment's keyframe record
export let segmentSeq: u32 = 0; // its seq
export let segmentBytes: u32 = 0; // of the segment, not confirmed yet
export let quiet: u32 = 0; // samples with nothing to send since the last record
export let keyframeDue: u32 = 0; // the next frame starts a segment
export let isOpen: u32 = 0; // a frame is being filled
export let openAt: usize = 0; // its record, of which kind and events are written
export let openSamples: u32 = 0;
export let lattices: u32 = 0; // channels whose lattice rule is in effect, a bit each
export let lastRecordMs: u32 = 0;
export let evictedSamples: u64 = 0; // dropped since boot

// Sending.
export let linkPhase: u32 = 0; // LINK_*
export let cursor: u32 = 0; // offset of the next record to send
export let cursorIndex: u32 = 0;
export let cursorEpoch: u32 = 0;
export let cursorSeq: u32 = 0;
export let birthAtMs: u32 = 0;
export let birthWaitMs: u32 = 0; // 0: send it at once
export let progressAtMs: u32 = 0;
export let patienceMs: u32 = 0; // first wait for an ack
export let statusWaitMs: u32 = 0; // the wait by now
export let statusAtMs: u32 = 0;
export let statusDue: u32 = 0;
export let tokens: u32 = 0; // frames that may go out now
export let tokensAtMs: u32 = 0;
export let missingEpoch: u32 = 0;
export let missingPairs: u32 = 0; // pairs left in MISSING
export let fragmentsLeft: u32 = 0;
export let fragmentCount: u32 = 0;
export let fragmentGroup: u32 = 0; // their id
export let frameLength: u32 = 0; // of the frame that they carry
export let messageAt: usize = 0; // address of the message just composed
export let restAt: usize = 0; // the part of it that stays where it is, and goes in front of its seal
export let restBytes: u32 = 0; // 0: it is whole at messageAt
export let messageTopic: u32 = 0; // TOPIC_*
export let refusal: u32 = 0; // reason last given by the cloud, 0: none
export let aliasLength: u32 = 0; // of ALIAS

// An import cannot be assigned to: one setter each, which the compiler inlines.
export function setChannelCount(value: u32): void {
  channelCount = value;
}
export function setFrameSamples(value: u32): void {
  frameSamples = value;
}
export function setSilenceMs(value: i32): void {
  silenceMs = value;
}
export function setMtu(value: u32): void {
  mtu = value;
}
export function setNonce(value: u32): void {
  nonce = value;
}
export function setDeviceText(value: usize): void {
  deviceText = value;
}
export function setDeviceLength(value: i32): void {
  deviceLength = value;
}
export function setBirthAt(value: usize): void {
  birthAt = value;
}
export function setBirthLength(value: i32): void {
  birthLength = value;
}
export function setBirthRoom(value: i32): void {
  birthRoom = value;
}
export function setChannelsDescribed(value: u32): void {
  channelsDescribed = value;
}
export function setBirthHash(value: u64): void {
  birthHash = value;
}
export function setOutAt(value: usize): void {
  outAt = value;
}
export function setOutRoom(value: u32): void {
  outRoom = value;
}
export function setPayloadMax(value: u32): void {
  payloadMax = value;
}
export function setRingAt(value: usize): void {
  ringAt = value;
}
export function setCapacity(value: u32): void {
  capacity = value;
}
export function setGeneration(value: u32): void {
  generation = value;
}
export function setHead(value: u32): void {
  head = value;
}
export function setHeadIndex(value: u32): void {
  headIndex = value;
}
export function setHeadEpoch(value: u32): void {
  headEpoch = value;
}
export function setHeadSeq(value: u32): void {
  headSeq = value;
}
export function setTail(value: u32): void {
  tail = value;
}
export function setRecordCount(value: u32): void {
  recordCount = value;
}
export function setUsedBytes(value: u32): void {
  usedBytes = value;
}
export function setDirtyFrom(value: u32): void {
  dirtyFrom = value;
}
export function setDirtyTo(value: u32): void {
  dirtyTo = value;
}
export function setHeaderDirty(value: u32): void {
  headerDirty = value;
}
export function setIsGranted(value: u32): void {
  isGranted = value;
}
export function setEpoch(value: u32): void {
  epoch = value;
}
export function setNextSeq(value: u32): void {
  nextSeq = value;
}
export function setSegmentIndex(value: u32): void {
  segmentIndex = value;
}
export function setSegmentSeq(value: u32): void {
  segmentSeq = value;
}
export function setSegmentBytes(value: u32): void {
  segmentBytes = value;
}
export function setQuiet(value: u32): void {
  quiet = value;
}
export function setKeyframeDue(value: u32): void {
  keyframeDue = value;
}
export function setIsOpen(value: u32): void {
  isOpen = value;
}
export function setOpenAt(value: usize): void {
  openAt = value;
}
export function setOpenSamples(value: u32): void {
  openSamples = value;
}
export function setLattices(value: u32): void {
  lattices = value;
}
export function setLastRecordMs(value: u32): void {
  lastRecordMs = value;
}
export function setEvictedSamples(value: u64): void {
  evictedSamples = value;
}
export function setLinkPhase(value: u32): void {
  linkPhase = value;
}
export function setCursor(value: u32): void {
  cursor = value;
}
export function setCursorIndex(value: u32): void {
  cursorIndex = value;
}
export function setCursorEpoch(value: u32): void {
  cursorEpoch = value;
}
export function setCursorSeq(value: u32): void {
  cursorSeq = value;
}
export function setBirthAtMs(value: u32): void {
  birthAtMs = value;
}
export function setBirthWaitMs(value: u32): void {
  birthWaitMs = value;
}
export function setProgressAtMs(value: u32): void {
  progressAtMs = value;
}
export function setPatienceMs(value: u32): void {
  patienceMs = value;
}
export function setStatusWaitMs(value: u32): void {
  statusWaitMs = value;
}
export function setStatusAtMs(value: u32): void {
  statusAtMs = value;
}
export function setStatusDue(value: u32): void {
  statusDue = value;
}
export function setTokens(value: u32): void {
  tokens = value;
}
export function setTokensAtMs(value: u32): void {
  tokensAtMs = value;
}
export function setMissingEpoch(value: u32): void {
  missingEpoch = value;
}
export function setMissingPairs(value: u32): void {
  missingPairs = value;
}
export function setFragmentsLeft(value: u32): void {
  fragmentsLeft = value;
}
export function setFragmentCount(value: u32): void {
  fragmentCount = value;
}
export function setFragmentGroup(value: u32): void {
  fragmentGroup = value;
}
export function setFrameLength(value: u32): void {
  frameLength = value;
}
export function setMessageAt(value: usize): void {
  messageAt = value;
}
export function setRestAt(value: usize): void {
  restAt = value;
}
export function setRestBytes(value: u32): void {
  restBytes = value;
}
export function setMessageTopic(value: u32): void {
  messageTopic = value;
}
export function setRefusal(value: u32): void {
  refusal = value;
}
export function setAliasLength(value: u32): void {
  aliasLength = value;
}

/** Milliseconds from `then` to `now`, both wrapping; negative when `then` is ahead. */
export function elapsedMs(now: u32, then: u32): i32 {
  return <i32>(now - then);
}
