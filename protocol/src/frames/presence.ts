import { field } from "../field.ts";
import type { FrameLayout } from "../frame-layout.ts";
import { NONCE } from "./numbers.ts";

/** Whether a device is connected; with `online` false also its last will. @see protocol/SPEC.md, section 3.9 */
export interface PresenceFrame {
  readonly kind: "presence";
  /** u32, of this boot */
  readonly nonce: number;
  readonly online: boolean;
}

const ONLINE = field("online", 0, 1);

export const PRESENCE_LAYOUT: FrameLayout<PresenceFrame> = {
  kindCode: 10,
  elements: 4,
  sealing: "plain",
  encode(writer, frame) {
    writer.int(frame.nonce, NONCE);
    writer.int(frame.online ? 1 : 0, ONLINE);
  },
  decode(reader) {
    const nonce = reader.uint(NONCE);
    return { kind: "presence", nonce, online: reader.uint(ONLINE) === 1 };
  },
};
