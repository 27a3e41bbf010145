import type { FileHandle } from "node:fs/promises";

/** Once so much waits for the disk it is told to begin, so that it works while more is brought. */
const FLUSH_BYTES = 1 << 26;

/** A file that is written front to back, with the disk at work behind it. */
export class WriteBehindFile {
  readonly #handle: FileHandle;
  #bytes = 0;
  #flushedBytes = 0;
  #flush: Promise<void> | undefined;

  /** @param handle  open for writing, with nothing in it; stays the caller's */
  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Append bytes, one piece at a time; they are the caller's again once this resolves. @throws what the system says */
  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const { bytesWritten } = await this.#handle.write(chunk, at, chunk.length - at, this.#bytes);
      at += bytesWritten;
      this.#bytes += bytesWritten;
    }
    if (this.#flush === undefined && this.#bytes - this.#flushedBytes >= FLUSH_BYTES) this.#flushBehind();
  }

  /** Have all of it on the disk. @throws what the system says, also of what was flushed before */
  async sync(): Promise<void> {
    await this.#flush;
    await this.#handle.sync();
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
