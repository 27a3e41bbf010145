import type { CborReader } from "./cbor-reader.ts";
import type { CborWriter } from "./cbor-writer.ts";

/**
 * How one kind of frame stands on the wire.
 *
 * `sealing`: "sequenced" frames carry a seal that only a decoder can verify, so `encode` and `decode` move it like any
 * field; the seal of a "plain" frame is computed and verified by the frame codec; "none" has no seal.
 */
export interface FrameLayout<F> {
  /** The low four bits of the head. */
  readonly kindCode: number;
  /** Elements of the array, head and seal included. */
  readonly elements: number;
  readonly sealing: "sequenced" | "plain" | "none";
  encode(writer: CborWriter, frame: F): void;
  decode(reader: CborReader): F;
}

/** How a kind whose number of elements depends on what the frame says stands on the wire. */
export interface VariedFrameLayout<F> extends Omit<FrameLayout<F>, "elements" | "decode"> {
  /** A shorter array is refused as `unknown-kind`: it was before this kind was, and vectors hold it. */
  readonly leastElements: number;
  /** Elements of the array, head and seal included. */
  elementsOf(frame: F): number;
  /** @param elements  of the array; refused where they are not what the frame must have */
  decode(reader: CborReader, elements: number): F;
}

/** The largest frame, and therefore the longest byte string in one. */
export const MAX_FRAME_BYTES = 65_535;
