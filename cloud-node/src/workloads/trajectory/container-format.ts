import type { FileHandle } from "node:fs/promises";

/**
 * The trajectory container, version 2. Integers are little-endian; CRC is CRC-32C. docs/trajectory-format.md specifies
 * it, with what is inside a chunk.
 *
 *     magic      8        89 4C 4B 54 0D 0A 1A 0A: a transfer as text, or by seven-bit mail, breaks it visibly
 *     version    2        2
 *     length     2        bytes of the writer's name
 *     writer     length   UTF-8: which program wrote it
 *     crc        4        of everything above
 *
 *     chunk      4        "CHNK"
 *     frames     4        1 …
 *     first      8        number of its first frame in the file, from 0
 *     head       4        bytes of the head
 *     body       4        bytes of the blocks
 *     crc        4        of the 24 bytes above and of the head
 *     head       …        what the chunk holds (chunk-head.ts), with length and CRC of every block
 *     body       …        the blocks
 *
 *     index      4        "INDX"
 *     chunks     4
 *     entries    12 each  offset u64, frames u32
 *     crc        4        of the index above
 *     trailer    8        offset of the index
 *     end        4        "LKTE"
 *
 * Whoever adds chunks writes them over the index, and a new one after them: a file without one is as good as one with.
 */
export const CONTAINER_MAGIC = Uint8Array.of(0x89, 0x4c, 0x4b, 0x54, 0x0d, 0x0a, 0x1a, 0x0a);
export const CONTAINER_VERSION = 2;
/** Frames of a chunk at most: what the core takes at once, which a test compares. */
export const MOST_CHUNK_FRAMES = 1024;
export const CHUNK_TAG = tagOf("CHNK");
export const INDEX_TAG = tagOf("INDX");
export const END_TAG = tagOf("LKTE");
/** Magic, version, length. */
export const PREAMBLE_BYTES = 12;
export const CRC_BYTES = 4;
/** Tag to CRC. */
export const CHUNK_PREAMBLE_BYTES = 28;
export const INDEX_ENTRY_BYTES = 12;
/** Tag and number of chunks. */
export const INDEX_HEAD_BYTES = 8;
export const TRAILER_BYTES = 12;

/** Where a chunk is, and what it holds. */
export interface ChunkPlace {
  readonly offset: number;
  readonly frames: number;
  readonly firstFrame: number;
}

/** What the 28 bytes in front of a chunk say. */
export interface ChunkPreamble extends ChunkPlace {
  readonly headBytes: number;
  readonly bodyBytes: number;
  readonly crc: number;
}

/** Whether a file begins as a container, whole or not. */
export async function isContainer(file: FileHandle): Promise<boolean> {
  const magic = Buffer.alloc(CONTAINER_MAGIC.length);
  await file.read(magic, 0, magic.length, 0);
  return magic.equals(CONTAINER_MAGIC);
}

/** Where a chunk ends. */
export function endOf({ offset, headBytes, bodyBytes }: ChunkPreamble): number {
  return offset + CHUNK_PREAMBLE_BYTES + headBytes + bodyBytes;
}

/** @returns undefined where the bytes do not begin a chunk */
export function readPreamble(bytes: Buffer, offset: number): ChunkPreamble | undefined {
  if (bytes.length < CHUNK_PREAMBLE_BYTES || bytes.readUInt32LE(0) !== CHUNK_TAG) return undefined;
  const frames = bytes.readUInt32LE(4);
  const firstFrame = Number(bytes.readBigUInt64LE(8));
  if (frames === 0 || !Number.isSafeInteger(firstFrame)) return undefined;
  const [headBytes, bodyBytes, crc] = [bytes.readUInt32LE(16), bytes.readUInt32LE(20), bytes.readUInt32LE(24)];
  return { offset, frames, firstFrame, headBytes, bodyBytes, crc };
}

function tagOf(text: string): number {
  return Buffer.from(text, "latin1").readUInt32LE(0);
}
