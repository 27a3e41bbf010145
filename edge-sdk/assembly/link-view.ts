/**
 * How the link stands, for its host: where its message is, and which part of the ring to write to disk. It stands in the
 * scratch, where a call after it may overwrite it.
 *
 *     offset  size  what
 *     0       8     samples dropped from the ring since boot
 *     8       4     address of the message that `linkPoll` or `linkPresence` just composed, valid until the next of them
 *     12      4     where that message goes: 0 birth, 1 frames, 2 presence
 *     16      4     0 down, 1 greeting, 2 live
 *     20      4     the running epoch, 0 while the cloud has not granted one
 *     24      4     seq that the next frame will get
 *     28      4     seq of the oldest frame in the ring, of whatever epoch; of the next one when the ring is empty
 *     32      4     frames in the ring
 *     36      4     samples taken that no frame in the ring covers yet: what a power cut would take
 *     40      4     bytes of the ring in use
 *     44      4     why the cloud refused, 0 when it did not (protocol/SPEC.md, section 3.9)
 *     48      4     first byte of the ring's records changed since `linkDirtyClear`, an offset from the ring's address
 *     52      4     one past the last byte changed; 0 when none was
 *     56      4     1 when the ring's header changed: its first 96 bytes, to be written after the records
 *     60      4     length of the granted alias, 0 when none was granted
 *     64      8     the alias
 *     72      4     address of the part of the message that stays where it is: it goes in front of the last five bytes. Of
 *                   a frame it is in the ring, and there until `linkSample` or `linkReceive`
 *     76      4     bytes of it; 0 when the message is whole
 */
import { SCRATCH_BYTES } from "./config-block";
import { ALIAS, VIEW } from "./device-memory";
import { FEATURES, STACKED } from "./least-mean-squares";
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
  restAt,
  restBytes,
  setDirtyFrom,
  setDirtyTo,
  setHeaderDirty,
  usedBytes,
} from "./link-state";
import { FORECASTS } from "./predictors";

/** Write the block. @returns its address, always the same */
export function linkView(): usize {
  // The scratch is one row: sums, features, forecasts. What stood in it besides would be overwritten.
  if (FEATURES != STACKED + 16 || FORECASTS != FEATURES + 32 || SCRATCH_BYTES > 80 + 28)
    ERROR("the scratch is not one row");
  store<u64>(VIEW, evictedSamples);
  store<u32>(VIEW, <u32>messageAt, 8);
  store<u32>(VIEW, messageTopic, 12);
  store<u32>(VIEW, linkPhase, 16);
  store<u32>(VIEW, epoch, 20);
  store<u32>(VIEW, nextSeq, 24);
  store<u32>(VIEW, recordCount == 0 ? nextSeq : headSeq, 28);
  store<u32>(VIEW, recordCount, 32);
  store<u32>(VIEW, quiet + (isOpen ? openSamples : 0), 36);
  store<u32>(VIEW, usedBytes, 40);
  store<u32>(VIEW, refusal, 44);
  store<u32>(VIEW, dirtyFrom, 48);
  store<u32>(VIEW, dirtyTo, 52);
  store<u32>(VIEW, headerDirty, 56);
  store<u32>(VIEW, aliasLength, 60);
  store<u64>(VIEW, load<u64>(ALIAS), 64);
  store<u32>(VIEW, <u32>restAt, 72);
  store<u32>(VIEW, restBytes, 76);
  return VIEW;
}

/** The host has written what was changed. */
export function linkDirtyClear(): void {
  setDirtyFrom(0);
  setDirtyTo(0);
  setHeaderDirty(false);
}
