import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { isOutOfRoom } from "../disk-room.ts";
import { syncFolder } from "../owner-file.ts";
import { aboutOutput } from "../workloads/output-problem.ts";
import { partialPath } from "../workloads/partial-path.ts";
import { isReplaceable } from "../workloads/replaceable.ts";
import { WriteBehindFile } from "../write-behind-file.ts";
import { CommandError } from "./command-error.ts";

/** What waits for the disk while more is made. */
const WRITE_AHEAD_BYTES = 1 << 22;

/**
 * Refuse files that cannot be meant: a folder to read or to write, an output in no folder, one that is the input, or one
 * that no file may take the place of.
 *
 * @param output  undefined: standard output, or nothing
 * @throws {CommandError} `file` for the input and for a folder that is not there, `usage` for the output
 */
export async function checkFiles(input: string, output: string | undefined): Promise<void> {
  const source = await stat(input).catch(() => undefined);
  if (source?.isDirectory()) throw new CommandError("file", `${input} is a folder`, "name a file in it");
  const place = output === undefined ? undefined : await stat(output).catch(() => undefined);
  if (place?.isDirectory()) throw new CommandError("usage", `${output} is a folder`, "name a file in it");
  if (output !== undefined) await checkReplaceable(output);
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

/** @throws {CommandError} `usage` for a device, a pipe or a socket: a file would take its place */
async function checkReplaceable(output: string): Promise<void> {
  if (await isReplaceable(output)) return;
  throw new CommandError("usage", `${output} is there, and is no regular file`, "give another name");
}

/** An error while an output is written: where it is that there is no room, it says so, and of which file. */
export function aboutRoom(error: unknown, output: string): unknown {
  if (!(error instanceof Error && isOutOfRoom(error))) return error;
  const remedy = "make room there, or write to another place";
  return new CommandError("file", `${output} cannot be written (${error.message})`, remedy, { cause: error });
}

async function isFolder(path: string): Promise<boolean> {
  const place = await stat(path).catch(() => undefined);
  return place?.isDirectory() === true;
}

/** Put content in the place of a file's: whole or not at all. */
export async function replaceWhole(path: string, content: string | Uint8Array): Promise<void> {
  const file = await PartialFile.open(path);
  try {
    await file.handle.writeFile(content);
    await file.keep();
  } catch (error) {
    await file.discard();
    throw aboutRoom(error, path);
  }
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

  /** @throws {CommandError} `usage` where there is something else than a file */
  static async open(path: string): Promise<PartialFile> {
    await checkReplaceable(path);
    const partial = partialPath(path);
    const handle = await open(partial, "wx+").catch((error: unknown) => {
      throw aboutOutput(error, path);
    });
    return new PartialFile(path, partial, handle);
  }

  /** Front to back. */
  get stream(): Writable {
    this.#stream ??= this.handle.createWriteStream({ highWaterMark: WRITE_AHEAD_BYTES, flush: true });
    return this.#stream;
  }

  /**
   * Write all of a source, front to back, and have it on the disk: what is kept then is whole even where the power goes.
   *
   * @param source  its chunks are not written into once they are given
   * @throws what the source throws, and what the system says
   */
  async fill(source: AsyncIterable<Uint8Array>): Promise<void> {
    const file = new WriteBehindFile(this.handle);
    let written: Promise<void> = Promise.resolve();
    for await (const chunk of source) {
      await written;
      written = file.write(chunk);
      // Whoever waits for it next is told.
      written.catch(() => {});
    }
    await written;
    await file.sync();
  }

  /** Make what was written so far the file, which it stays when the power goes. */
  async keep(): Promise<void> {
    if (this.#stream === undefined) {
      await this.handle.sync();
      await this.handle.close();
    } else {
      this.#stream.end();
      await finished(this.#stream);
    }
    try {
      await rename(this.#partial, this.#path);
      await syncFolder(dirname(this.#path));
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
