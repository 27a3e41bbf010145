import type { AckFrame } from "./frames/ack.ts";
import type { BirthFrame } from "./frames/birth.ts";
import type { ExchangeFrame } from "./frames/exchange.ts";
import type { FlashCommandFrame } from "./frames/flash.ts";
import type { FlashStateFrame } from "./frames/flash-state.ts";
import type { FragmentFrame } from "./frames/fragment.ts";
import type { HeartbeatFrame } from "./frames/heartbeat.ts";
import type { JobFrame } from "./frames/job.ts";
import type { KeyframeFrame } from "./frames/keyframe.ts";
import type { PresenceFrame } from "./frames/presence.ts";
import type { RefusalFrame } from "./frames/refusal.ts";
import type { ResidualFrame } from "./frames/residual.ts";
import type { ResultFrame } from "./frames/result.ts";
import type { ResyncFrame } from "./frames/resync.ts";
import type { StatusFrame } from "./frames/status.ts";
import type { WelcomeFrame } from "./frames/welcome.ts";

/** A frame that takes a place in the sequence: stored, acknowledged, and sealed with the codec state after it. */
export type SequencedFrame = KeyframeFrame | ResidualFrame | HeartbeatFrame;

/** What a device sends, or a program that has jobs. */
export type UplinkFrame =
  | SequencedFrame
  | FragmentFrame
  | StatusFrame
  | BirthFrame
  | PresenceFrame
  | FlashStateFrame
  | JobFrame;

/** What the cloud sends. */
export type DownlinkFrame = AckFrame | ResyncFrame | WelcomeFrame | RefusalFrame | FlashCommandFrame | ResultFrame;

/** Everything that travels, told apart by `kind`. @see protocol/SPEC.md, section 1 */
export type Frame = UplinkFrame | DownlinkFrame | ExchangeFrame;

/** The name of a kind of frame. */
export type FrameKind = Frame["kind"];

/** Whether a frame takes a place in the sequence. */
export function isSequenced(frame: Frame): frame is SequencedFrame {
  return frame.kind === "residual" || frame.kind === "keyframe" || frame.kind === "heartbeat";
}
