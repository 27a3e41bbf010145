import type { CborReader } from "../cbor-reader.ts";
import type { CborWriter } from "../cbor-writer.ts";
import { field, u32 } from "../field.ts";
import type { VariedFrameLayout } from "../frame-layout.ts";
import { MAX_MANIFEST_BYTES } from "../update-manifest.ts";
import { type FlashAlgorithm, readKeyName, SIGNATURE_BYTES, writeKeyName } from "./flash-key.ts";
import { type FlashStateFrame, readFlashState, STATE_ELEMENTS, writeFlashState } from "./flash-state.ts";
import { NONCE } from "./numbers.ts";
import { OpTable } from "./op-table.ts";

/** What every flash frame has. */
export interface FlashHead<Op extends string> {
  readonly kind: "flash";
  readonly op: Op;
  /** u32 of the boot that is spoken to, echoed from its birth */
  readonly nonce: number;
}

/** Ask for the state. */
export type FlashAskFrame = FlashHead<"ask">;

/** Offer a package. */
export interface FlashBeginFrame extends FlashHead<"begin"> {
  /** 1 … {@link MAX_MANIFEST_BYTES} bytes, as `encodeManifest` writes them. */
  readonly manifest: Uint8Array;
  readonly algorithm: FlashAlgorithm;
  /** 16 lower-case hexadecimal digits: which key signed. */
  readonly key: string;
  /** Of `signedMessage(manifest)`: 64 bytes for Ed25519, 32 for HMAC-SHA256. */
  readonly signature: Uint8Array;
}

/** A run of the body's bytes. */
export interface FlashChunkFrame extends FlashHead<"chunk"> {
  /** u32: `sessionId` of the manifest. */
  readonly sid: number;
  /** u32: of the first byte, in the body. */
  readonly offset: number;
  /** 1 … {@link MAX_CHUNK_BYTES} bytes. */
  readonly data: Uint8Array;
  /** u32: CRC-32/ISO-HDLC of `data`; the device checks it, after it has read the bytes back. */
  readonly crc: number;
}

/** Say that all came (end), switch to it (activate), keep it (confirm), or drop it (abort). */
export interface FlashStepFrame extends FlashHead<"end" | "activate" | "confirm" | "abort"> {
  /** u32: `sessionId` of the manifest. */
  readonly sid: number;
}

/** What the cloud says to a device that is, or will be, updated. @see protocol/SPEC.md, section 8 */
export type FlashCommandFrame = FlashAskFrame | FlashBeginFrame | FlashChunkFrame | FlashStepFrame;

/** Kind 11. @see protocol/SPEC.md, section 8 */
export type FlashFrame = FlashCommandFrame | FlashStateFrame;

/** Most bytes of a body in one frame. */
export const MAX_CHUNK_BYTES = 256;
/** Most bytes of a flash frame. */
export const MAX_FLASH_FRAME_BYTES = 512;

/** Elements of a frame with head, nonce, op and seal alone; a shorter array was never a flash frame. */
const LEAST_ELEMENTS = 4;
/** Of a frame by its op, the array's index; 7 is spare. */
const OPS = new OpTable<FlashFrame["op"]>([
  { op: "ask", elements: LEAST_ELEMENTS },
  { op: "begin", elements: 8 },
  { op: "chunk", elements: 8 },
  { op: "end", elements: 5 },
  { op: "activate", elements: 5 },
  { op: "confirm", elements: 5 },
  { op: "abort", elements: 5 },
  undefined,
  { op: "state", elements: STATE_ELEMENTS },
]);

const MANIFEST = field("manifest", 1, MAX_MANIFEST_BYTES);
const SID = u32("sid");
const OFFSET = u32("offset");
const DATA = field("data", 1, MAX_CHUNK_BYTES);
const CRC = u32("crc");

export const FLASH_LAYOUT: VariedFrameLayout<FlashFrame> = {
  kindCode: 11,
  leastElements: LEAST_ELEMENTS,
  sealing: "plain",
  elementsOf: ({ op }) => OPS.elementsOf(op) ?? LEAST_ELEMENTS,
  encode(writer, frame) {
    writer.int(frame.nonce, NONCE);
    OPS.write(writer, frame.op);
    writeRest(writer, frame);
  },
  decode(reader, elements) {
    const nonce = reader.uint(NONCE);
    const op = OPS.read(reader, elements);
    return readRest(reader, op, nonce);
  },
};

function writeRest(writer: CborWriter, frame: FlashFrame): void {
  switch (frame.op) {
    case "ask":
      return;
    case "begin":
      writer.byteString(frame.manifest, MANIFEST);
      writeKeyName(writer, { algorithm: frame.algorithm, id: frame.key });
      writer.byteString(frame.signature, signatureOf(frame.algorithm));
      return;
    case "chunk":
      writer.int(frame.sid, SID);
      writer.int(frame.offset, OFFSET);
      writer.byteString(frame.data, DATA);
      writer.int(frame.crc, CRC);
      return;
    case "state":
      writeFlashState(writer, frame);
      return;
    default:
      writer.int(frame.sid, SID);
  }
}

function readRest(reader: CborReader, op: FlashFrame["op"], nonce: number): FlashFrame {
  switch (op) {
    case "ask":
      return { kind: "flash", op, nonce };
    case "begin": {
      const manifest = reader.byteString(MANIFEST);
      const { algorithm, id } = readKeyName(reader);
      return {
        kind: "flash",
        op,
        nonce,
        manifest,
        algorithm,
        key: id,
        signature: reader.byteString(signatureOf(algorithm)),
      };
    }
    case "chunk": {
      const sid = reader.uint(SID);
      const offset = reader.uint(OFFSET);
      const data = reader.byteString(DATA);
      return { kind: "flash", op, nonce, sid, offset, data, crc: reader.uint(CRC) };
    }
    case "state":
      return readFlashState(reader, nonce);
    default:
      return { kind: "flash", op, nonce, sid: reader.uint(SID) };
  }
}

function signatureOf(algorithm: FlashAlgorithm) {
  return field("signature", SIGNATURE_BYTES[algorithm], SIGNATURE_BYTES[algorithm]);
}
