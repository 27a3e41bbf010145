import { field, u16, u32, u53 } from "../field.ts";
import { MAX_FRAME_BYTES } from "../frame-layout.ts";

// The elements that several kinds of frame have in common: protocol/SPEC.md, section 2.

/** Random, new at every boot; echoed by the cloud. */
export const NONCE = u32("nonce");
/** One per boot. A birth alone may say 0, and has its own range. */
export const EPOCH = field("epoch", 1, 0xffff_ffff);
/** Place within an epoch. */
export const SEQ = u32("seq");
/** Frames a device keeps in flight at most; half of what a position tells apart. */
export const WINDOW_FRAMES = 2048;
/** Epoch and seq, shortened. */
export const POSITION = u16("position");
/** Samples before the frame for which nothing was sent; bounded, because a decoder must run through them. */
export const QUIET = field("quiet", 0, 131_071);
/** Microseconds. */
export const TIME = u53("time");
/** Thousandths, rounded up. */
export const RING_FILL = field("ring fill", 0, 1000);
/** The codec's bytes; how many fit depends on the elements around them. */
export const PAYLOAD = field("payload", 0, MAX_FRAME_BYTES);
