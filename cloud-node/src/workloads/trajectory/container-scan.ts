import type { FileHandle } from "node:fs/promises";
import {
  CHUNK_PREAMBLE_BYTES,
  CHUNK_TAG,
  type ChunkPlace,
  type ChunkPreamble,
  CRC_BYTES,
  END_TAG,
  endOf,
  INDEX_ENTRY_BYTES,
  INDEX_HEAD_BYTES,
  INDEX_TAG,
  readPreamble,
  TRAILER_BYTES,
} from "./container-format.ts";
import type { TrajectoryCore } from "./trajectory-core.ts";

/** What of a container cannot be read: bytes `from` … `to`, and why. */
export interface ContainerDamage {
  readonly from: number;
  readonly to: number;
  readonly problem: string;
}

/** Where all chunks are. */
export interface ContainerMap {
  readonly chunks: readonly ChunkPlace[];
  /** Where the next chunk would be written: behind the last one. */
  readonly end: number;
  /** Empty where the index was whole, or nothing but the index is missing. */
  readonly damage: readonly ContainerDamage[];
  /** Whether the index was there: without it the last writer did not come to its end. */
  readonly isFinished: boolean;
}

const WINDOW_BYTES = 1 << 20;
const TAG_BYTES = 4;
/** Heads are at most the whole file: as often as this it is read in search of them, however many tags it has. */
const READ_SHARE = 8;

/** Bytes that may still be read as heads. */
interface HeadBudget {
  bytes: number;
}

/**
 * Find the chunks by the index, or one after the other where it is lost.
 *
 * @param start  where the first chunk is
 */
export async function mapContainer(core: TrajectoryCore, file: FileHandle, start: number): Promise<ContainerMap> {
  const { size } = await file.stat();
  return (await readIndex(core, file, start, size)) ?? (await scanChunks(core, file, start, size));
}

async function readIndex(
  core: TrajectoryCore,
  file: FileHandle,
  start: number,
  size: number,
): Promise<ContainerMap | undefined> {
  if (size < start + INDEX_HEAD_BYTES + CRC_BYTES + TRAILER_BYTES) return undefined;
  const trailer = await readAt(file, size - TRAILER_BYTES, TRAILER_BYTES);
  if (trailer.length < TRAILER_BYTES || trailer.readUInt32LE(8) !== END_TAG) return undefined;
  const at = Number(trailer.readBigUInt64LE(0));
  if (!(at >= start) || at > size - TRAILER_BYTES - CRC_BYTES - INDEX_HEAD_BYTES) return undefined;
  const index = await readAt(file, at, size - TRAILER_BYTES - at);
  const body = index.subarray(0, -CRC_BYTES);
  const chunks = index.readUInt32LE(4);
  if (index.readUInt32LE(0) !== INDEX_TAG || body.length !== INDEX_HEAD_BYTES + chunks * INDEX_ENTRY_BYTES) {
    return undefined;
  }
  if (core.checksum(body) !== index.readUInt32LE(body.length)) return undefined;
  const places: ChunkPlace[] = [];
  let firstFrame = 0;
  for (let i = 0; i < chunks; i++) {
    const entry = INDEX_HEAD_BYTES + i * INDEX_ENTRY_BYTES;
    const place = { offset: Number(body.readBigUInt64LE(entry)), frames: body.readUInt32LE(entry + 8), firstFrame };
    if (!(place.offset >= start && place.offset < at) || place.frames === 0) return undefined;
    places.push(place);
    firstFrame += place.frames;
  }
  return { chunks: places, end: at, damage: [], isFinished: true };
}

async function scanChunks(core: TrajectoryCore, file: FileHandle, start: number, size: number): Promise<ContainerMap> {
  const chunks: ChunkPlace[] = [];
  const damage: ContainerDamage[] = [];
  let at = start;
  let end = start;
  const budget: HeadBudget = { bytes: READ_SHARE * size };
  while (at < size) {
    const found = await chunkAt(core, file, at, size, budget);
    if (typeof found !== "string") {
      chunks.push(found);
      at = endOf(found);
      end = at;
      continue;
    }
    const next = await findChunk(core, file, at + 1, size, budget);
    const isIndex = next === size && (await isIndexAt(file, at));
    if (!isIndex) damage.push({ from: at, to: next, problem: found });
    at = next;
  }
  return { chunks, end, damage, isFinished: false };
}

/** A chunk that is whole, or one line that says what is there instead. */
async function chunkAt(
  core: TrajectoryCore,
  file: FileHandle,
  at: number,
  size: number,
  budget: HeadBudget,
): Promise<ChunkPreamble | string> {
  const bytes = await readAt(file, at, CHUNK_PREAMBLE_BYTES);
  const preamble = readPreamble(bytes, at);
  if (preamble === undefined)
    return bytes.length < CHUNK_PREAMBLE_BYTES ? "the file ends here" : "no chunk begins here";
  if (at + CHUNK_PREAMBLE_BYTES + preamble.headBytes > size) return "the file ends inside this chunk";
  if (preamble.headBytes > budget.bytes) return "too much here looks like chunks and is none";
  budget.bytes -= preamble.headBytes;
  const head = await readAt(file, at + CHUNK_PREAMBLE_BYTES, preamble.headBytes);
  if (core.checksum(bytes.subarray(0, -CRC_BYTES), head) !== preamble.crc) return "the checksum of this chunk is wrong";
  return endOf(preamble) > size ? "the file ends inside this chunk" : preamble;
}

async function isIndexAt(file: FileHandle, at: number): Promise<boolean> {
  const tag = await readAt(file, at, TAG_BYTES);
  return tag.length === TAG_BYTES && tag.readUInt32LE(0) === INDEX_TAG;
}

/** The next whole chunk at or after `from`; `size` for none. */
async function findChunk(
  core: TrajectoryCore,
  file: FileHandle,
  from: number,
  size: number,
  budget: HeadBudget,
): Promise<number> {
  const tag = Buffer.alloc(TAG_BYTES);
  tag.writeUInt32LE(CHUNK_TAG);
  for (let at = from; at < size; at += WINDOW_BYTES) {
    const window = await readAt(file, at, WINDOW_BYTES + TAG_BYTES - 1);
    for (let hit = window.indexOf(tag); hit !== -1; hit = window.indexOf(tag, hit + 1)) {
      if (typeof (await chunkAt(core, file, at + hit, size, budget)) !== "string") return at + hit;
    }
  }
  return size;
}

/** Up to `length` bytes; fewer where the file ends. */
export async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { size } = await file.stat();
  const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - position)));
  let read = 0;
  while (read < bytes.length) {
    const { bytesRead } = await file.read(bytes, read, bytes.length - read, position + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return bytes.subarray(0, read);
}
