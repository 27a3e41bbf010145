import { field, u16 } from "../field.ts";
import type { FrameLayout } from "../frame-layout.ts";
import { fromHex, toHex } from "../hex.ts";
import { readSeal, writeSeal } from "../seal.ts";
import { EPOCH, PAYLOAD, SEQ, TIME } from "./numbers.ts";
import { packSpan, readSpan, SPAN } from "./span.ts";

/** The first frame of a segment: both ends reset the codec, then decode it. @see protocol/SPEC.md, section 3.2 */
export interface KeyframeFrame {
  readonly kind: "keyframe";
  /** u32 ≥ 1 */
  readonly epoch: number;
  /** u32 */
  readonly seq: number;
  /** 16 lower-case hexadecimal digits; equals `birthHash` of the birth it belongs to. */
  readonly birthHash: string;
  /** u53: device time of its first sample, µs. */
  readonly timeUs: number;
  /** u16: bit c set when channel c's lattice rule is in effect. */
  readonly lattices: number;
  /** Samples in the payload; 0 stands for the birth's `frameSamples`. */
  readonly samples: number;
  /** Whether the payload codes a status for every channel-sample. */
  readonly hasEvents: boolean;
  /** Whether channels may lie on lines in the payload; never together with events. */
  readonly hasLines: boolean;
  readonly payload: Uint8Array;
  /** u32; verify with `sequencedSeal` after decoding the payload. */
  readonly seal: number;
}

const BIRTH_HASH = field("birth hash", 8, 8);
const LATTICES = u16("lattices");

export const KEYFRAME_LAYOUT: FrameLayout<KeyframeFrame> = {
  kindCode: 1,
  elements: 9,
  sealing: "sequenced",
  encode(writer, frame) {
    writer.int(frame.epoch, EPOCH);
    writer.int(frame.seq, SEQ);
    writer.byteString(fromHex(frame.birthHash, BIRTH_HASH, writer.length), BIRTH_HASH);
    writer.int(frame.timeUs, TIME);
    writer.int(frame.lattices, LATTICES);
    writer.int(packSpan(frame), SPAN);
    writer.byteString(frame.payload, PAYLOAD);
    writeSeal(writer, frame.seal);
  },
  decode(reader) {
    const epoch = reader.uint(EPOCH);
    const seq = reader.uint(SEQ);
    const birthHash = toHex(reader.byteString(BIRTH_HASH));
    const timeUs = reader.uint(TIME);
    const lattices = reader.uint(LATTICES);
    const span = readSpan(reader);
    const payload = reader.byteString(PAYLOAD);
    const seal = readSeal(reader);
    return { kind: "keyframe", epoch, seq, birthHash, timeUs, lattices, ...span, payload, seal };
  },
};
