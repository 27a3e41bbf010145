import { randomBytes } from "node:crypto";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { CommandError } from "./command-error.ts";

/**
 * Refuse files that cannot be meant: a folder to read or to write, or an output that is the input.
 *
 * @param output  undefined: standard output, or nothing
 * @throws {CommandError} `file` for the input, `usage` for the output
 */
export async function checkFiles(input: string, output: string | undefined): Promise<void> {
  const source = await stat(input).catch(() => undefined);
  if (source?.isDirectory()) throw new CommandError("file", `${input} is a folder`, "name a file in it");
  const place = output === undefined ? undefined : await stat(output).catch(() => undefined);
  if (place?.isDirectory()) throw new CommandError("usage", `${output} is a folder`, "name a file in it");
  if (source !== undefined && place !== undefined && source.dev === place.dev && source.ino === place.ino) {
    throw new CommandError("usage", `${output} is the file to read`, "give another name with --out");
  }
}

/** A file that gets its name only when it is complete. */
export class PartialFile {
  readonly stream: Writable;
  readonly #path: string;
  readonly #partial: string;

  private constructor(path: string, partial: string, handle: FileHandle) {
    this.#path = path;
    this.#partial = partial;
    this.stream = handle.createWriteStream();
  }

  static async open(path: string): Promise<PartialFile> {
    const partial = `${path}.${randomBytes(4).toString("hex")}.part`;
    return new PartialFile(path, partial, await open(partial, "wx"));
  }

  /** Make what was written so far the file. */
  async keep(): Promise<void> {
    this.stream.end();
    await finished(this.stream);
    try {
      await rename(this.#partial, this.#path);
    } catch (error) {
      await rm(this.#partial, { force: true });
      throw error;
    }
  }

  async discard(): Promise<void> {
    this.stream.destroy();
    await rm(this.#partial, { force: true });
  }
}
