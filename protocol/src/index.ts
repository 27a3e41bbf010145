/**
 * What a device and its twin must agree on: frames, sequence numbers, topics.
 *
 * `SPEC.md` is normative; `vectors/` holds golden frames.
 *
 * @packageDocumentation
 */
export { type ChannelScale, channelScale, toValue } from "./channel-value.ts";
export { FrameError, type FrameErrorCode, type FrameErrorFacts } from "./errors.ts";
export { MAX_FRAGMENT_SETS, Reassembler, split } from "./fragments.ts";
export {
  type DownlinkFrame,
  type Frame,
  type FrameKind,
  isSequenced,
  type SequencedFrame,
  type UplinkFrame,
} from "./frame.ts";
export { decodeFrame, encodeFrame, WIRE_VERSION } from "./frame-codec.ts";
export { MAX_FRAME_BYTES } from "./frame-layout.ts";
export { type AckFrame, MAX_MISSING_RANGES, type SeqRange } from "./frames/ack.ts";
export { type BirthFrame, birthHash, MAX_CHANNELS } from "./frames/birth.ts";
export type { ChannelConfig } from "./frames/channel-config.ts";
export { type ExchangeFrame, MAX_EXCHANGE_BYTES } from "./frames/exchange.ts";
export {
  type FlashAskFrame,
  type FlashBeginFrame,
  type FlashChunkFrame,
  type FlashCommandFrame,
  type FlashFrame,
  type FlashHead,
  type FlashStepFrame,
  MAX_CHUNK_BYTES,
  MAX_FLASH_FRAME_BYTES,
} from "./frames/flash.ts";
export { type FlashAlgorithm, type FlashKeyName, SIGNATURE_BYTES } from "./frames/flash-key.ts";
export {
  FLASH_PHASES,
  FLASH_VERDICTS,
  type FlashPhase,
  type FlashStateFrame,
  type FlashVerdict,
  MAX_FLASH_KEYS,
  type RunningPackage,
} from "./frames/flash-state.ts";
export type { FragmentFrame } from "./frames/fragment.ts";
export type { HeartbeatFrame } from "./frames/heartbeat.ts";
export type { JobFrame, JobHead, JobNamedFrame, JobSubmitFrame } from "./frames/job.ts";
export {
  JOB_STATES,
  type JobBlob,
  type JobState,
  MAX_JOB_ATTEMPTS,
  MAX_JOB_BLOBS,
  MAX_JOB_JSON_BYTES,
} from "./frames/job-parts.ts";
export type { KeyframeFrame } from "./frames/keyframe.ts";
export { WINDOW_FRAMES } from "./frames/numbers.ts";
export type { PresenceFrame } from "./frames/presence.ts";
export type { RefusalFrame, RefusalReason } from "./frames/refusal.ts";
export type { ResidualFrame } from "./frames/residual.ts";
export {
  MAX_CODE_BYTES,
  MAX_MESSAGE_TEXT_BYTES,
  MAX_NOTE_BYTES,
  type ResultAcceptedFrame,
  type ResultCancelledFrame,
  type ResultDoneFrame,
  type ResultFailedFrame,
  type ResultFrame,
  type ResultHead,
  type ResultProgressFrame,
} from "./frames/result.ts";
export type { ResyncFrame, ResyncReason } from "./frames/resync.ts";
export type { StatusFrame } from "./frames/status.ts";
export type { WelcomeFrame } from "./frames/welcome.ts";
export {
  formatJsonObject,
  type JobContent,
  type JsonObject,
  type JsonValue,
  jobContent,
  jobContentId,
  parseJsonObject,
} from "./job-content.ts";
export {
  addMac,
  bootKeyMessage,
  LINK_KEY_BYTES,
  type LinkDirection,
  MAC_BYTES,
  type MacFrame,
  splitMac,
} from "./link-mac.ts";
export { murmur3 } from "./murmur3.ts";
export { sequencedSeal } from "./seal.ts";
export { expandSeq, gapRanges, LAST_SEQ, matchEpoch, position } from "./sequence.ts";
export { encodeSerialFrame, SERIAL_DELIMITER, type SerialDamage, SerialDeframer } from "./serial-framing.ts";
export { encodeStreamFrame, STREAM_PREFIX_BYTES, StreamDeframer } from "./stream-framing.ts";
export { isBlobName } from "./text-rules.ts";
export {
  ALIAS_FILTER,
  aliasTopic,
  type DeviceTopic,
  formatTopic,
  mqttClientId,
  type ParsedTopic,
  parseTopic,
  type TopicLevel,
  topicFilter,
} from "./topics.ts";
export {
  ANY_SLOT,
  decodeManifest,
  encodeManifest,
  formatVersion,
  MAX_MANIFEST_BYTES,
  parseVersion,
  type SelfTest,
  sessionId,
  signedMessage,
  UPDATE_FORMS,
  type UpdateForm,
  type UpdateManifest,
} from "./update-manifest.ts";
