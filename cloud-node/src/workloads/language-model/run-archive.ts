import { createReadStream, createWriteStream } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { aboutRoom } from "./replace-file.ts";
import { BEST, JSONL, NEWEST } from "./run-folder.ts";
import { cutOff } from "./safetensors-format.ts";
import { statIfThere } from "./stat-if-there.ts";

/** What a run goes on from. A file that is not there has no bytes. */
const PARTS = [JSONL, BEST, NEWEST] as const;
/** Bytes in front of each part: its length, u64, little-endian. */
const LENGTH_BYTES = 8;

/** What the run of a folder goes on from, as one stream: each part behind its length. */
export async function* packRun(folder: string): AsyncGenerator<Uint8Array> {
  for (const name of PARTS) {
    const path = join(folder, name);
    const bytes = (await statIfThere(path))?.size ?? 0;
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeBigUInt64LE(BigInt(bytes));
    yield length;
    if (bytes > 0) yield* createReadStream(path);
  }
}

/**
 * Mirror of `packRun`.
 *
 * @param folder  made where it is not there
 * @param path  of a file of what was packed
 * @returns where the newest checkpoint is
 * @throws {LanguageModelError} `truncated`, `no-room`
 */
export async function unpackRun(folder: string, path: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = await open(path);
  try {
    const { size } = await file.stat();
    let at = 0;
    for (const name of PARTS) {
      const bytes = await lengthAt(file, at, path, size);
      at += LENGTH_BYTES;
      if (bytes > size - at) throw cutOff(path, at + bytes, size);
      if (bytes > 0) await copyPart(file, at, bytes, join(folder, name));
      at += bytes;
    }
    return join(folder, NEWEST);
  } finally {
    await file.close();
  }
}

async function lengthAt(file: FileHandle, at: number, path: string, size: number): Promise<number> {
  const length = Buffer.alloc(LENGTH_BYTES);
  const { bytesRead } = await file.read(length, 0, LENGTH_BYTES, at);
  if (bytesRead < LENGTH_BYTES) throw cutOff(path, at + LENGTH_BYTES, size);
  return Number(length.readBigUInt64LE());
}

async function copyPart(file: FileHandle, start: number, bytes: number, to: string): Promise<void> {
  try {
    await pipeline(file.createReadStream({ start, end: start + bytes - 1, autoClose: false }), createWriteStream(to));
  } catch (error) {
    throw aboutRoom(error, to);
  }
}
