import { createHash } from "node:crypto";
import type { BlobRef, GetOptions } from "./blob-store.ts";
import { JobError } from "./job-error.ts";

/**
 * The bytes of a blob as long as they are its bytes. The last ones are given only once all are known to be right, so that
 * nobody ever has the whole of something else.
 *
 * @param chunks  from the blob's first byte on
 * @throws {JobError} `tampered-blob`, `cancelled`
 */
export async function* verified(
  chunks: AsyncIterable<Uint8Array>,
  ref: BlobRef,
  { offset = 0, onProgress, signal }: GetOptions,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let bytes = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of chunks) {
    checkSignal(signal, ref.sha256);
    if (held !== undefined) yield held;
    const skipped = Math.min(chunk.length, Math.max(0, offset - bytes));
    held = skipped < chunk.length ? chunk.subarray(skipped) : undefined;
    bytes += chunk.length;
    if (bytes > ref.bytes) throw tampered(ref, `more than ${ref.bytes} bytes`);
    hash.update(chunk);
    onProgress?.(bytes);
  }
  if (bytes < ref.bytes) throw tampered(ref, `${bytes} of ${ref.bytes} bytes`);
  if (hash.digest("hex") !== ref.sha256) throw tampered(ref, "other bytes");
  if (held !== undefined) yield held;
}

/** @throws {JobError} `cancelled` once nobody wants the bytes any more */
export function checkSignal(signal: AbortSignal | undefined, sha256: string | undefined): void {
  if (signal?.aborted !== true) return;
  throw new JobError("cancelled", `transfer of blob ${sha256 ?? "(new)"}`, "begin it again: it goes on where it was");
}

/** What is thrown of bytes that are not those of a blob. */
export function tampered({ sha256 }: BlobRef, found: string): JobError {
  return new JobError("tampered-blob", `blob ${sha256} has ${found}`, "put the right bytes there again");
}
