/** What a host may ask the link: where its message is, how it stands, which part of the ring to write to disk. */
import { ALIAS } from "./device-memory";
import {
  aliasLength,
  dirtyFrom,
  dirtyTo,
  epoch,
  evictedSamples,
  headerDirty,
  headSeq,
  isOpen,
  linkPhase,
  messageAt,
  messageTopic,
  nextSeq,
  openSamples,
  quiet,
  recordCount,
  refusal,
  setDirtyFrom,
  setDirtyTo,
  setHeaderDirty,
  usedBytes,
} from "./link-state";

/** Address of the message that `linkPoll` or `linkPresence` just composed; valid until the next call of either. */
export function linkMessage(): usize {
  return messageAt;
}

/** Where that message goes: 0 birth, 1 frames, 2 presence. */
export function linkTopic(): i32 {
  return messageTopic;
}

/** 0 down, 1 greeting, 2 live. */
export function linkState(): i32 {
  return linkPhase;
}

/** The running epoch, 0 while the cloud has not granted one. */
export function linkEpoch(): u32 {
  return epoch;
}

/** Seq that the next frame will get. */
export function linkNextSeq(): u32 {
  return nextSeq;
}

/** Seq of the oldest frame in the ring, of whatever epoch; `linkNextSeq()` when the ring is empty. */
export function linkOldestSeq(): u32 {
  return recordCount == 0 ? nextSeq : headSeq;
}

/** Frames in the ring. */
export function linkUnconfirmedFrames(): u32 {
  return recordCount;
}

/** Samples taken that no frame in the ring covers yet: what a power cut would take. */
export function linkPendingSamples(): u32 {
  return quiet + (isOpen ? openSamples : 0);
}

/** Bytes of the ring in use. */
export function linkRingUsed(): u32 {
  return usedBytes;
}

/** Samples dropped from the ring since boot. */
export function linkEvictedSamples(): i64 {
  return <i64>evictedSamples;
}

/** Why the cloud refused, 0 when it did not (protocol/SPEC.md, section 3.9). */
export function linkRefusal(): i32 {
  return refusal;
}

/** Address of the granted alias. */
export function linkAlias(): usize {
  return ALIAS;
}

/** Its length, 0 when none was granted. */
export function linkAliasLength(): i32 {
  return aliasLength;
}

/** First byte of the ring's records changed since the last clear, an offset from the ring's address. */
export function linkDirtyFrom(): i32 {
  return dirtyFrom;
}

/** One past the last byte changed; 0 when none was. */
export function linkDirtyTo(): i32 {
  return dirtyTo;
}

/** 1 when the ring's header changed: its first 96 bytes, to be written after the records. */
export function linkHeaderDirty(): i32 {
  return headerDirty;
}

/** The host has written what was changed. */
export function linkDirtyClear(): void {
  setDirtyFrom(0);
  setDirtyTo(0);
  setHeaderDirty(false);
}
