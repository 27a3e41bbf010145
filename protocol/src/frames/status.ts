import { u32, u53 } from "../field.ts";
import type { FrameLayout } from "../frame-layout.ts";
import { EPOCH, NONCE, RING_FILL, TIME } from "./numbers.ts";

/** What the device still holds, and what it has lost. @see protocol/SPEC.md, section 3.5 */
export interface StatusFrame {
  readonly kind: "status";
  /** u32, of this boot */
  readonly nonce: number;
  /** u32 ≥ 1 */
  readonly epoch: number;
  /** u32: seq of the oldest frame of this epoch still held. */
  readonly oldest: number;
  /** u32 ≥ oldest: seq after the newest one. */
  readonly next: number;
  /** u53: samples evicted since boot. */
  readonly evicted: number;
  /** 0 … 1000: thousandths of the ring in use, rounded up. */
  readonly ringFill: number;
  /** u53: device time now, µs. */
  readonly timeUs: number;
}

const OLDEST = u32("oldest");
const NEXT = u32("next");
const EVICTED = u53("evicted");

export const STATUS_LAYOUT: FrameLayout<StatusFrame> = {
  kindCode: 5,
  elements: 9,
  sealing: "plain",
  encode(writer, frame) {
    writer.int(frame.nonce, NONCE);
    writer.int(frame.epoch, EPOCH);
    writer.int(frame.oldest, OLDEST);
    writer.int(frame.next, { ...NEXT, min: frame.oldest });
    writer.int(frame.evicted, EVICTED);
    writer.int(frame.ringFill, RING_FILL);
    writer.int(frame.timeUs, TIME);
  },
  decode(reader) {
    const nonce = reader.uint(NONCE);
    const epoch = reader.uint(EPOCH);
    const oldest = reader.uint(OLDEST);
    const next = reader.uint({ ...NEXT, min: oldest });
    const evicted = reader.uint(EVICTED);
    const ringFill = reader.uint(RING_FILL);
    const timeUs = reader.uint(TIME);
    return { kind: "status", nonce, epoch, oldest, next, evicted, ringFill, timeUs };
  },
};
