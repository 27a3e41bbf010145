import type { FrameLayout } from "../frame-layout.ts";
import { readSeal, writeSeal } from "../seal.ts";
import { POSITION, QUIET, RING_FILL, TIME } from "./numbers.ts";

/** A sequenced sign of life after a silence, without samples but the quiet ones. @see protocol/SPEC.md, section 3.4 */
export interface HeartbeatFrame {
  readonly kind: "heartbeat";
  /** u16: as in the residual. */
  readonly position: number;
  /** u32: samples since the last sequenced frame for which every residual was zero. */
  readonly quiet: number;
  /** u53: device time now, µs. */
  readonly timeUs: number;
  /** 0 … 1000: thousandths of the ring in use, rounded up. */
  readonly ringFill: number;
  /** u32; verify with `sequencedSeal`. */
  readonly seal: number;
}

export const HEARTBEAT_LAYOUT: FrameLayout<HeartbeatFrame> = {
  kindCode: 2,
  elements: 6,
  sealing: "sequenced",
  encode(writer, frame) {
    writer.int(frame.position, POSITION);
    writer.int(frame.quiet, QUIET);
    writer.int(frame.timeUs, TIME);
    writer.int(frame.ringFill, RING_FILL);
    writeSeal(writer, frame.seal);
  },
  decode(reader) {
    const position = reader.uint(POSITION);
    const quiet = reader.uint(QUIET);
    const timeUs = reader.uint(TIME);
    const ringFill = reader.uint(RING_FILL);
    return { kind: "heartbeat", position, quiet, timeUs, ringFill, seal: readSeal(reader) };
  },
};
