import type { FrameLayout } from "../frame-layout.ts";
import { EPOCH, NONCE, SEQ } from "./numbers.ts";
import { readReason, writeReason } from "./reason.ts";

/** Why the cloud asks for a new segment. */
export type ResyncReason = "state-mismatch" | "unknown-birth" | "frames-lost";

/** On the wire: 1 and up, in this order. */
const RESYNC_REASONS: readonly ResyncReason[] = ["state-mismatch", "unknown-birth", "frames-lost"];

/** Asks the device to start a new segment. @see protocol/SPEC.md, section 3.9 */
export interface ResyncFrame {
  readonly kind: "resync";
  /** u32, echoed from the birth */
  readonly nonce: number;
  /** u32 ≥ 1 */
  readonly epoch: number;
  /** u32: the first frame that cannot be decoded. */
  readonly seq: number;
  readonly reason: ResyncReason;
}

export const RESYNC_LAYOUT: FrameLayout<ResyncFrame> = {
  kindCode: 6,
  elements: 6,
  sealing: "plain",
  encode(writer, frame) {
    writer.int(frame.nonce, NONCE);
    writer.int(frame.epoch, EPOCH);
    writer.int(frame.seq, SEQ);
    writeReason(writer, frame.reason, RESYNC_REASONS);
  },
  decode(reader) {
    const nonce = reader.uint(NONCE);
    const epoch = reader.uint(EPOCH);
    const seq = reader.uint(SEQ);
    return { kind: "resync", nonce, epoch, seq, reason: readReason(reader, RESYNC_REASONS) };
  },
};
