import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { aboutOutput } from "../workloads/output-problem.ts";
import { partialPath } from "../workloads/partial-path.ts";
import { CommandError } from "./command-error.ts";

/** What waits for the disk while more is made. */
const WRITE_AHEAD_BYTES = 1 << 22;
/** Once so much waits for the disk it is told to begin, so that it works while more is brought. */
const FLUSH_BYTES = 1 << 26;

/**
 * Refuse files that cannot be meant: a folder to read or to write, an output in no folder, or one that is the input.
 *
 * @param output  undefined: standard output, or nothing
 * @throws {CommandError} `file` for the input and for a folder that is not there, `usage` for the output
 */
export async function checkFiles(input: string, output: string | undefined): Promise<void> {
  const source = await stat(input).catch(() => undefined);
  if (source?.isDirectory()) throw new CommandError("file", `${input} is a folder`, "name a file in it");
  const place = output === undefined ? undefined : await stat(output).catch(unlessTooLong);
  if (place?.isDirectory()) throw new CommandError("usage", `${output} is a folder`, "name a file in it");
  if (output !== undefined && !(await isFolder(dirname(output)))) {
    throw new CommandError(
      "file",
      `${output} cannot be written: there is no folder ${dirname(output)}`,
      "make it first",
    );
  }
  if (source !== undefined && place !== undefined && source.dev === place.dev && source.ino === place.ino) {
    throw new CommandError("usage", `${output} is the file to read`, "give another name with --out");
  }
}

/** Of a path that nothing can have: better said before the work than after it. */
function unlessTooLong(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENAMETOOLONG") throw error;
}

/** Errors of the system for an output that has no room, by their code. */
const NO_ROOM: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** An error while an output is written: where it is that there is no room, it says so, and of which file. */
export function aboutRoom(error: unknown, output: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined || !NO_ROOM.has(code)) return error;
  const remedy = "make room there, or write to another place";
  return new CommandError("file", `${output} cannot be written (${message})`, remedy, { cause: error });
}

async function isFolder(path: string): Promise<boolean> {
  const place = await stat(path).catch(() => undefined);
  return place?.isDirectory() === true;
}

/** A file that gets its name only when it is complete. */
export class PartialFile {
  /** For whoever writes at places of its own, and not to `stream`. */
  readonly handle: FileHandle;
  readonly #path: string;
  readonly #partial: string;
  #stream: Writable | undefined;

  private constructor(path: string, partial: string, handle: FileHandle) {
    this.#path = path;
    this.#partial = partial;
    this.handle = handle;
  }

  static async open(path: string): Promise<PartialFile> {
    const partial = partialPath(path);
    const handle = await open(partial, "wx+").catch((error: unknown) => {
      throw aboutOutput(error, path);
    });
    return new PartialFile(path, partial, handle);
  }

  /** Front to back. */
  get stream(): Writable {
    this.#stream ??= this.handle.createWriteStream({ highWaterMark: WRITE_AHEAD_BYTES });
    return this.#stream;
  }

  /**
   * Write all of a source, front to back, and have it on the disk: what is kept then is whole even where the power goes.
   *
   * @param source  its chunks are not written into once they are given
   * @throws what the source throws, and what the system says
   */
  async fill(source: AsyncIterable<Uint8Array>): Promise<void> {
    let bytes = 0;
    let flushedBytes = 0;
    let isFlushing = false;
    let written: Promise<void> = Promise.resolve();
    let flushed: Promise<void> = Promise.resolve();
    for await (const chunk of source) {
      await written;
      written = this.#write(chunk, bytes);
      // Whoever waits for it next is told.
      written.catch(() => {});
      bytes += chunk.length;
      if (isFlushing || bytes - flushedBytes < FLUSH_BYTES) continue;
      isFlushing = true;
      flushedBytes = bytes;
      flushed = this.handle.datasync().then(() => {
        isFlushing = false;
      });
      // An error is kept for the end: the system may tell of it once only.
      flushed.catch(() => {});
    }
    await written;
    await flushed;
    await this.handle.sync();
  }

  async #write(chunk: Uint8Array, place: number): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const { bytesWritten } = await this.handle.write(chunk, at, chunk.length - at, place + at);
      at += bytesWritten;
    }
  }

  /** Make what was written so far the file. */
  async keep(): Promise<void> {
    if (this.#stream === undefined) await this.handle.close();
    else {
      this.#stream.end();
      await finished(this.#stream);
    }
    try {
      await rename(this.#partial, this.#path);
    } catch (error) {
      await rm(this.#partial, { force: true });
      throw aboutOutput(error, this.#path);
    }
  }

  async discard(): Promise<void> {
    if (this.#stream === undefined) await this.handle.close();
    else {
      // It may be in the middle of a write, which fails then: nobody is to be told.
      this.#stream.on("error", () => {});
      this.#stream.destroy();
    }
    await rm(this.#partial, { force: true });
  }
}
