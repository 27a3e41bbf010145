import { createHash } from "node:crypto";
import { SeededRandom } from "../test-device.suite.ts";
import type { BlobRef } from "./blob-store.ts";

/** More than any store keeps in one piece. */
export const BYTES = 700_001;
export const CHUNK = 65_536;

export function bytesOf(seed: number, length = BYTES): Buffer {
  const random = new SeededRandom(seed);
  const bytes = Buffer.alloc(length + 4);
  for (let i = 0; i < length; i += 4) bytes.writeUInt32LE(random.uint32(), i);
  return bytes.subarray(0, length);
}

export function refOf(bytes: Uint8Array): BlobRef {
  return { sha256: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length };
}

/** The bytes from any place on, and what breaks after so many. */
export function sourceOf(bytes: Uint8Array, breaksAt = Number.POSITIVE_INFINITY) {
  const begun: number[] = [];
  const source = async function* (from: number) {
    begun.push(from);
    for (let at = from; at < bytes.length; at += CHUNK) {
      if (at >= breaksAt) throw new RangeError("the line broke");
      yield bytes.subarray(at, Math.min(at + CHUNK, bytes.length));
    }
  };
  return { source, begun };
}

export async function allOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}
