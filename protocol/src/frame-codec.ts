import { CborReader } from "./cbor-reader.ts";
import { CborWriter } from "./cbor-writer.ts";
import { FrameError } from "./errors.ts";
import { field, u53 } from "./field.ts";
import type { Frame, FrameKind } from "./frame.ts";
import { type FrameLayout, MAX_FRAME_BYTES, type VariedFrameLayout } from "./frame-layout.ts";
import { ACK_LAYOUT } from "./frames/ack.ts";
import { BIRTH_LAYOUT } from "./frames/birth.ts";
import { EXCHANGE_LAYOUT } from "./frames/exchange.ts";
import { FLASH_LAYOUT } from "./frames/flash.ts";
import { FRAGMENT_LAYOUT } from "./frames/fragment.ts";
import { HEARTBEAT_LAYOUT } from "./frames/heartbeat.ts";
import { JOB_LAYOUT } from "./frames/job.ts";
import { KEYFRAME_LAYOUT } from "./frames/keyframe.ts";
import { PRESENCE_LAYOUT } from "./frames/presence.ts";
import { REFUSAL_LAYOUT } from "./frames/refusal.ts";
import { RESIDUAL_LAYOUT } from "./frames/residual.ts";
import { RESULT_LAYOUT } from "./frames/result.ts";
import { RESYNC_LAYOUT } from "./frames/resync.ts";
import { STATUS_LAYOUT } from "./frames/status.ts";
import { WELCOME_LAYOUT } from "./frames/welcome.ts";
import { verifyPlainSeal, writePlainSeal } from "./seal.ts";

/** The version of the wire that this package speaks. */
export const WIRE_VERSION = 1;

type Layout<F> = FrameLayout<F> | VariedFrameLayout<F>;

const LAYOUTS: { readonly [K in FrameKind]: Layout<Extract<Frame, { kind: K }>> } = {
  residual: RESIDUAL_LAYOUT,
  keyframe: KEYFRAME_LAYOUT,
  heartbeat: HEARTBEAT_LAYOUT,
  fragment: FRAGMENT_LAYOUT,
  ack: ACK_LAYOUT,
  status: STATUS_LAYOUT,
  resync: RESYNC_LAYOUT,
  birth: BIRTH_LAYOUT,
  welcome: WELCOME_LAYOUT,
  refusal: REFUSAL_LAYOUT,
  presence: PRESENCE_LAYOUT,
  flash: FLASH_LAYOUT,
  job: JOB_LAYOUT,
  result: RESULT_LAYOUT,
  exchange: EXCHANGE_LAYOUT,
};

const LAYOUT_BY_CODE: readonly Layout<Frame>[] = Object.values(LAYOUTS).toSorted((a, b) => a.kindCode - b.kindCode);

/** Any count is read here: how many there must be depends on the kind, which stands inside. */
const ELEMENTS = field("frame", 0, Number.MAX_SAFE_INTEGER);
const HEAD = u53("head");

/**
 * Write a frame in its only form.
 *
 * The seal of an unsequenced frame is computed; a sequenced frame gets the one in `frame.seal`.
 *
 * @returns at most 65,535 bytes, the caller's
 * @throws {FrameError} `out-of-range` when a field is outside its range, `too-large` when the frame would be
 */
export function encodeFrame(frame: Frame): Uint8Array {
  const layout: Layout<Frame> = LAYOUTS[frame.kind];
  const writer = new CborWriter();
  writer.array("elements" in layout ? layout.elements : layout.elementsOf(frame), ELEMENTS);
  writer.int(16 * WIRE_VERSION + layout.kindCode, HEAD);
  layout.encode(writer, frame);
  if (layout.sealing === "plain") {
    writePlainSeal(writer);
  }
  checkSize(writer.length);
  return writer.finish();
}

/**
 * Read one frame, strictly: only the bytes that `encodeFrame` would write for it are taken.
 *
 * The seal of an unsequenced frame is verified. That of a sequenced one is returned in `seal`, to be compared with
 * `sequencedSeal` once the payload is decoded.
 *
 * @param bytes  the whole frame; `payload` and `chunk` are views of it, so the caller leaves it as it is, or copies
 * @throws {FrameError} with the code and the offset of the first element that does not follow SPEC.md
 * @see protocol/SPEC.md, sections 1 and 6
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  checkSize(bytes.length);
  const reader = new CborReader(bytes);
  const elements = reader.array(ELEMENTS);
  if (elements === 0) {
    throw new FrameError("wrong-shape", { offset: 0, field: ELEMENTS.name, need: 1, have: 0 });
  }
  const layout = layoutOf(reader, elements);
  if ("elements" in layout && elements !== layout.elements) {
    throw new FrameError("wrong-shape", { offset: 0, field: ELEMENTS.name, need: layout.elements, have: elements });
  }
  const frame = layout.decode(reader, elements);
  if (layout.sealing === "plain") {
    verifyPlainSeal(reader);
  } else {
    reader.end();
  }
  return frame;
}

function layoutOf(reader: CborReader, elements: number): Layout<Frame> {
  const offset = reader.offset;
  const head = reader.uint(HEAD);
  const version = Math.floor(head / 16);
  if (version !== WIRE_VERSION) {
    throw new FrameError("unsupported-version", { offset, have: version, limit: WIRE_VERSION });
  }
  const kindCode = head % 16;
  const layout = LAYOUT_BY_CODE[kindCode];
  if (layout === undefined || ("leastElements" in layout && elements < layout.leastElements)) {
    throw new FrameError("unknown-kind", { offset, have: kindCode, limit: LAYOUT_BY_CODE.length - 1 });
  }
  return layout;
}

function checkSize(lengthBytes: number): void {
  if (lengthBytes > MAX_FRAME_BYTES) {
    throw new FrameError("too-large", { offset: 0, have: lengthBytes, limit: MAX_FRAME_BYTES });
  }
}
