import { FrameError } from "../errors.ts";
import { field, u32 } from "../field.ts";
import type { FrameLayout } from "../frame-layout.ts";
import { EPOCH, NONCE, WINDOW_FRAMES } from "./numbers.ts";

/** `count` consecutive sequence numbers, the first of which is `from`. */
export interface SeqRange {
  /** u32 */
  readonly from: number;
  /** 1 … WINDOW_FRAMES; from + count ≤ 2³² */
  readonly count: number;
}

/** What is durably stored, and what is asked for again. @see protocol/SPEC.md, section 3.8 */
export interface AckFrame {
  readonly kind: "ack";
  /** u32, echoed from the birth */
  readonly nonce: number;
  /** u32 ≥ 1 */
  readonly epoch: number;
  /** u32: every frame of the epoch below it is confirmed. */
  readonly through: number;
  /** At most {@link MAX_MISSING_RANGES}, ascending and disjoint, none below `through`. */
  readonly missing: readonly SeqRange[];
}

/** Ranges that one ack can carry: sixteen integers. */
export const MAX_MISSING_RANGES = 8;

const THROUGH = u32("through");
const MISSING = field("missing", 0, 2 * MAX_MISSING_RANGES);
const FROM = u32("missing from");
const COUNT = field("missing count", 1, WINDOW_FRAMES);
const SEQ_END = 2 ** 32;

export const ACK_LAYOUT: FrameLayout<AckFrame> = {
  kindCode: 4,
  elements: 6,
  sealing: "plain",
  encode(writer, frame) {
    writer.int(frame.nonce, NONCE);
    writer.int(frame.epoch, EPOCH);
    writer.int(frame.through, THROUGH);
    writer.array(2 * frame.missing.length, MISSING);
    let least = frame.through;
    for (const { from, count } of frame.missing) {
      const offset = writer.length;
      writer.int(from, FROM);
      writer.int(count, COUNT);
      least = checkedEnd(from, count, least, offset);
    }
  },
  decode(reader) {
    const nonce = reader.uint(NONCE);
    const epoch = reader.uint(EPOCH);
    const through = reader.uint(THROUGH);
    const arrayOffset = reader.offset;
    const integers = reader.array(MISSING);
    if (integers % 2 !== 0) {
      throw new FrameError("wrong-shape", { offset: arrayOffset, field: MISSING.name, have: integers });
    }
    const missing: SeqRange[] = [];
    let least = through;
    for (let i = 0; i < integers; i += 2) {
      const offset = reader.offset;
      const from = reader.uint(FROM);
      const count = reader.uint(COUNT);
      least = checkedEnd(from, count, least, offset);
      missing.push({ from, count });
    }
    return { kind: "ack", nonce, epoch, through, missing };
  },
};

/** The seq after the range, which the next range may not be below. */
function checkedEnd(from: number, count: number, least: number, offset: number): number {
  if (from < least) {
    throw new FrameError("out-of-range", { offset, field: FROM.name, have: from, limit: least });
  }
  if (from + count > SEQ_END) {
    throw new FrameError("out-of-range", { offset, field: COUNT.name, have: count, limit: SEQ_END - from });
  }
  return from + count;
}
