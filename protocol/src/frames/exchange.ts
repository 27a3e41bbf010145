import { field, u16, u32 } from "../field.ts";
import type { FrameLayout } from "../frame-layout.ts";
import { fromHex, toHex } from "../hex.ts";

/**
 * Kind 14: a message, or a piece of one, between two workers of one job. What it says is the workload's.
 *
 * @see protocol/SPEC.md, section 10.4
 */
export interface ExchangeFrame {
  readonly kind: "exchange";
  /** 16 lower-case hexadecimal digits: the first 8 bytes of the job's id. */
  readonly job: string;
  /** u16: place of the worker that speaks. */
  readonly from: number;
  /** u16: place of the one that is spoken to. */
  readonly to: number;
  /** u32: 0 for the first frame from one place to another on a connection, then + 1 each, modulo 2³². */
  readonly seq: number;
  /** False: the message goes on in the next frame. */
  readonly isLast: boolean;
  /** 0 … {@link MAX_EXCHANGE_BYTES} bytes. */
  readonly payload: Uint8Array;
}

/** Most bytes of a message in one frame. */
export const MAX_EXCHANGE_BYTES = 61_440;

const JOB = field("job", 8, 8);
const FROM = u16("from");
const TO = u16("to");
const SEQ = u32("seq");
const LAST = field("last", 0, 1);
const PAYLOAD = field("payload", 0, MAX_EXCHANGE_BYTES);

export const EXCHANGE_LAYOUT: FrameLayout<ExchangeFrame> = {
  kindCode: 14,
  elements: 8,
  sealing: "plain",
  encode(writer, frame) {
    writer.byteString(fromHex(frame.job, JOB, writer.length), JOB);
    writer.int(frame.from, FROM);
    writer.int(frame.to, TO);
    writer.int(frame.seq, SEQ);
    writer.int(frame.isLast ? 1 : 0, LAST);
    writer.byteString(frame.payload, PAYLOAD);
  },
  decode(reader) {
    const job = toHex(reader.byteString(JOB));
    const from = reader.uint(FROM);
    const to = reader.uint(TO);
    const seq = reader.uint(SEQ);
    const isLast = reader.uint(LAST) === 1;
    return { kind: "exchange", job, from, to, seq, isLast, payload: reader.byteString(PAYLOAD) };
  },
};
