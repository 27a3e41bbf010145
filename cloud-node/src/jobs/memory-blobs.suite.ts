import { createHash } from "node:crypto";
import type { BlobFacts, BlobRef, BlobStore, GetOptions } from "./blob-store.ts";
import { JobError } from "./job-error.ts";

const CHUNK_BYTES = 65_536;

/** Blobs in memory, and what a test may do to them. */
export class MemoryBlobs implements BlobStore {
  readonly #blobs = new Map<string, Buffer>();
  /** A write fails with it. */
  failure: Error | undefined;

  async put(source: (fromByte: number) => AsyncIterable<Uint8Array>): Promise<BlobRef> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of source(0)) {
      if (this.failure !== undefined) throw this.failure;
      chunks.push(Buffer.from(chunk));
    }
    return this.add(Buffer.concat(chunks));
  }

  async *get({ sha256 }: BlobRef, { offset = 0 }: GetOptions = {}): AsyncGenerator<Uint8Array> {
    const bytes = this.#blobs.get(sha256);
    if (bytes === undefined) throw new JobError("missing-blob", `no blob ${sha256}`, "put it");
    for (let at = offset; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
    if (sha(bytes) !== sha256) throw new JobError("tampered-blob", `blob ${sha256} is another`, "put it again");
  }

  async stat(sha256: string): Promise<BlobFacts | undefined> {
    const bytes = this.#blobs.get(sha256);
    return bytes === undefined ? undefined : { sha256, bytes: bytes.length, putMs: 0 };
  }

  async *list(): AsyncGenerator<BlobFacts> {}

  async remove(sha256: string): Promise<boolean> {
    return this.#blobs.delete(sha256);
  }

  async close(): Promise<void> {}

  /** Keep bytes. */
  add(bytes: Uint8Array | string): BlobRef {
    const kept = Buffer.from(bytes);
    this.#blobs.set(sha(kept), kept);
    return { sha256: sha(kept), bytes: kept.length };
  }

  /** Change a byte of a blob. */
  tamper(sha256: string): void {
    const bytes = this.#blobs.get(sha256);
    if (bytes !== undefined) bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  }

  /** All of a blob. */
  bytes({ sha256 }: BlobRef): Buffer {
    return this.#blobs.get(sha256) ?? Buffer.alloc(0);
  }
}

function sha(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
