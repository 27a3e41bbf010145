import type { FrameLayout } from "../frame-layout.ts";
import { readSeal, writeSeal } from "../seal.ts";
import { PAYLOAD, POSITION, QUIET } from "./numbers.ts";
import { packSpan, readSpan, SPAN } from "./span.ts";

/** The next samples of a segment, as the codec packed them. @see protocol/SPEC.md, section 3.3 */
export interface ResidualFrame {
  readonly kind: "residual";
  /** u16: 4096 · (epoch mod 16) + seq mod 4096; `expandSeq` and `matchEpoch` undo it. */
  readonly position: number;
  /** u32: samples before this frame's first one for which every residual was zero. */
  readonly quiet: number;
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

export const RESIDUAL_LAYOUT: FrameLayout<ResidualFrame> = {
  kindCode: 0,
  elements: 6,
  sealing: "sequenced",
  encode(writer, frame) {
    writer.int(frame.position, POSITION);
    writer.int(frame.quiet, QUIET);
    writer.int(packSpan(frame), SPAN);
    writer.byteString(frame.payload, PAYLOAD);
    writeSeal(writer, frame.seal);
  },
  decode(reader) {
    const position = reader.uint(POSITION);
    const quiet = reader.uint(QUIET);
    const span = readSpan(reader);
    const payload = reader.byteString(PAYLOAD);
    return { kind: "residual", position, quiet, ...span, payload, seal: readSeal(reader) };
  },
};
