import type { CborReader } from "./cbor-reader.ts";
import type { CborWriter } from "./cbor-writer.ts";
import { FrameError } from "./errors.ts";
import { field } from "./field.ts";
import { murmur3, murmur3Words } from "./murmur3.ts";

/** The checksum alone. A seal of 12, with a MAC, is taken apart before a frame comes here: `link-mac.ts`. */
const SEAL = field("seal", 4, 4);
/** The seal as it ends a frame: its CBOR header (0x44), then four bytes. */
export const SEAL_ITEM_BYTES = 5;
/** CBOR header of a byte string of four. */
export const SEAL_HEADER = 0x44;
const PLAIN_SEED = 0;
const NAMES = new TextEncoder();

/** Read the seal, the last element of a frame, as a u32. @throws {FrameError} as CborReader.byteString */
export function readSeal(reader: CborReader): number {
  const bytes = reader.byteString(SEAL);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0);
}

/** Write a seal. @throws {FrameError} `out-of-range` when it is not a u32 */
export function writeSeal(writer: CborWriter, checksum: number): void {
  if (checksum !== checksum >>> 0) {
    throw new FrameError("out-of-range", {
      offset: writer.length,
      field: SEAL.name,
      have: checksum,
      limit: 0xffff_ffff,
    });
  }
  const bytes = new Uint8Array(SEAL.max);
  new DataView(bytes.buffer).setUint32(0, checksum);
  writer.byteString(bytes, SEAL);
}

/** Seal an unsequenced frame of which everything else is written. */
export function writePlainSeal(writer: CborWriter): void {
  writeSeal(writer, murmur3(PLAIN_SEED, writer.written));
}

/** Read and verify the seal of an unsequenced frame. @throws {FrameError} `bad-seal` when the bytes are not whole */
export function verifyPlainSeal(reader: CborReader): void {
  const offset = reader.offset;
  const have = readSeal(reader);
  reader.end();
  const need = murmur3(PLAIN_SEED, reader.bytes.subarray(0, offset));
  if (have !== need) {
    throw new FrameError("bad-seal", { offset, need, have });
  }
}

/**
 * The seal that a sequenced frame must carry: proof of its bytes, whose it is, its place and the codec state after it.
 *
 * @param frameBytes  the whole frame; the seal that it carries is not read
 * @param device  its name, as in its birth
 * @param epoch  u32, in full
 * @param seq  u32, in full
 * @param stateHash  u32, the module's `stateHash` after the frame
 * @returns u32
 * @throws {FrameError} `truncated` or `wrong-shape` when the bytes do not end in a seal
 * @see protocol/SPEC.md, section 1.1
 */
export function sequencedSeal(
  frameBytes: Uint8Array,
  device: string,
  epoch: number,
  seq: number,
  stateHash: number,
): number {
  const sealStart = frameBytes.length - SEAL_ITEM_BYTES;
  if (sealStart < 0) {
    const have = frameBytes.length;
    throw new FrameError("truncated", { offset: 0, field: SEAL.name, need: SEAL_ITEM_BYTES, have });
  }
  if (frameBytes[sealStart] !== SEAL_HEADER) {
    throw new FrameError("wrong-shape", { offset: sealStart, field: SEAL.name });
  }
  const seed = murmur3Words(murmur3(0, NAMES.encode(device)), [epoch, seq, stateHash]);
  return murmur3(seed, frameBytes.subarray(0, sealStart));
}
