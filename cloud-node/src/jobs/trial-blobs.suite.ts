import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { BlobRef, PutOptions } from "./blob-store.ts";
import { FileBlobs } from "./file-blobs.ts";

/** Blobs in files, and what a test may do to them. */
export class TrialBlobs extends FileBlobs {
  readonly #folder: string;
  /** Every upload fails with it. */
  failure: Error | undefined;

  constructor(folder: string) {
    super(folder);
    this.#folder = folder;
  }

  override async put(source: (fromByte: number) => AsyncIterable<Uint8Array>, options?: PutOptions): Promise<BlobRef> {
    if (this.failure !== undefined) throw this.failure;
    return await super.put(source, options);
  }

  /** Keep bytes. */
  add(bytes: Uint8Array | string): BlobRef {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    mkdirSync(dirname(this.#file(sha256)), { recursive: true });
    writeFileSync(this.#file(sha256), bytes);
    return { sha256, bytes: Buffer.byteLength(bytes) };
  }

  /** Change a byte of a blob. */
  tamper({ sha256 }: BlobRef): void {
    const bytes = this.bytes({ sha256 });
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(this.#file(sha256), bytes);
  }

  /** All of a blob. */
  bytes({ sha256 }: Pick<BlobRef, "sha256">): Buffer {
    return readFileSync(this.#file(sha256));
  }

  #file(sha256: string): string {
    return join(this.#folder, sha256.slice(0, 2), sha256);
  }
}
