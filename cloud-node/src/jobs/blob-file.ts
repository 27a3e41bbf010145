import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";

/** Read at once. Small blobs are many, and need no more than the first; of larger ones a megabyte hides what a read costs. */
const FIRST_READ_BYTES = 1 << 16;
const READ_BYTES = 1 << 20;
/** Once so much waits for the disk it is told to begin, so that it works while more is read and hashed. */
const FLUSH_BYTES = 1 << 26;

/** A file that is written from its beginning: hashed while the system takes the bytes, and the disk works behind it. */
export class BlobFile {
  readonly #handle: FileHandle;
  readonly #hash = createHash("sha256");
  #bytes = 0;
  #flushedBytes = 0;
  #flush: Promise<void> | undefined;

  /** @param handle  open for writing, with nothing in it; stays the caller's */
  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Append bytes; they are the caller's again once this resolves. @throws what the system says */
  async write(chunk: Uint8Array): Promise<void> {
    const written = this.#append(chunk);
    this.#hash.update(chunk);
    await written;
    if (this.#flush === undefined && this.#bytes - this.#flushedBytes >= FLUSH_BYTES) this.#flushBehind();
  }

  /** SHA-256 of all that was written: 64 hexadecimal digits. Nothing can be written after it. */
  digest(): string {
    return this.#hash.digest("hex");
  }

  /** Have all of it on the disk. @throws what the system says, also of what was flushed before */
  async sync(): Promise<void> {
    await this.#flush;
    await this.#handle.sync();
  }

  async #append(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const { bytesWritten } = await this.#handle.write(chunk, at, chunk.length - at, this.#bytes);
      at += bytesWritten;
      this.#bytes += bytesWritten;
    }
  }

  #flushBehind(): void {
    this.#flushedBytes = this.#bytes;
    const flush = this.#handle.datasync().then(() => {
      this.#flush = undefined;
    });
    // An error is kept for `sync`: the system may tell of it once only.
    flush.catch(() => {});
    this.#flush = flush;
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
