import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { WriteBehindFile } from "../write-behind-file.ts";

/** Read at once. Small blobs are many, and need no more than the first; of larger ones a megabyte hides what a read costs. */
const FIRST_READ_BYTES = 1 << 16;
const READ_BYTES = 1 << 20;

/** A file that is hashed while it is written. */
export class BlobFile {
  readonly #file: WriteBehindFile;
  readonly #hash = createHash("sha256");

  /** @param handle  open for writing, with nothing in it; stays the caller's */
  constructor(handle: FileHandle) {
    this.#file = new WriteBehindFile(handle);
  }

  get bytes(): number {
    return this.#file.bytes;
  }

  /** Append bytes; they are the caller's again once this resolves. @throws what the system says */
  async write(chunk: Uint8Array): Promise<void> {
    const written = this.#file.write(chunk);
    this.#hash.update(chunk);
    await written;
  }

  /** SHA-256 of all that was written: 64 hexadecimal digits. Nothing can be written after it. */
  digest(): string {
    return this.#hash.digest("hex");
  }

  /** Have all of it on the disk. @throws what the system says, also of what was flushed before */
  sync(): Promise<void> {
    return this.#file.sync();
  }
}

/**
 * The bytes of a file from its beginning, the next ones read while the reader looks at those before. Each chunk is the
 * reader's own.
 *
 * @param handle  stays the caller's; it is read until the last `next` or `return` has resolved
 * @throws what the system says
 */
export async function* chunksOf(handle: FileHandle): AsyncGenerator<Uint8Array> {
  let size = FIRST_READ_BYTES;
  let next: Promise<Uint8Array> | undefined = readAt(handle, 0, size);
  try {
    for (let at = 0; ; ) {
      const chunk: Uint8Array = await (next ?? readAt(handle, at, FIRST_READ_BYTES));
      next = undefined;
      if (chunk.length === 0) return;
      at += chunk.length;
      // One that came short was the last, as a rule.
      if (chunk.length >= size) next = readAt(handle, at, READ_BYTES);
      size = READ_BYTES;
      yield chunk;
    }
  } finally {
    await next?.catch(() => {});
  }
}

function readAt(handle: FileHandle, at: number, bytes: number): Promise<Uint8Array> {
  // Each its own: whoever is given one may keep it.
  const buffer = Buffer.allocUnsafeSlow(bytes);
  const read = handle.read(buffer, 0, bytes, at).then(({ bytesRead }) => buffer.subarray(0, bytesRead));
  // Of one that nobody has asked for yet whoever does is told.
  read.catch(() => {});
  return read;
}
