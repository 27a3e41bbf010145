import type { FrameLayout } from "../frame-layout.ts";
import { NONCE } from "./numbers.ts";
import { readReason, writeReason } from "./reason.ts";

/** Why the cloud does not take a device's frames. */
export type RefusalReason = "unsupported-version" | "unknown-model" | "bad-birth" | "unknown-device" | "conflict";

/** On the wire: 1 and up, in this order. */
const REFUSAL_REASONS: readonly RefusalReason[] = [
  "unsupported-version",
  "unknown-model",
  "bad-birth",
  "unknown-device",
  "conflict",
];

/** Tells a device that its birth was not accepted. @see protocol/SPEC.md, section 3.9 */
export interface RefusalFrame {
  readonly kind: "refusal";
  /** u32, echoed from the birth */
  readonly nonce: number;
  readonly reason: RefusalReason;
}

export const REFUSAL_LAYOUT: FrameLayout<RefusalFrame> = {
  kindCode: 9,
  elements: 4,
  sealing: "plain",
  encode(writer, frame) {
    writer.int(frame.nonce, NONCE);
    writeReason(writer, frame.reason, REFUSAL_REASONS);
  },
  decode(reader) {
    const nonce = reader.uint(NONCE);
    return { kind: "refusal", nonce, reason: readReason(reader, REFUSAL_REASONS) };
  },
};
