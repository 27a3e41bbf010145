import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { VectorIndexError } from "./vector-index-error.ts";

/** Opening a pipe waits for whoever writes into it, which nothing can interrupt; Windows has no such flag. */
const READ_AT_ONCE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Open a file to be read, at places of its own.
 *
 * @param remedy  what to do where it is none
 * @throws {VectorIndexError} `no-file`; `unreadable`, also for a folder, a pipe or a device
 */
export async function openRegularFile(path: string, remedy: string): Promise<FileHandle> {
  const file = await open(path, READ_AT_ONCE).catch((cause: NodeJS.ErrnoException) => {
    const [code, problem] =
      cause.code === "ENOENT"
        ? (["no-file", "there is no such file"] as const)
        : (["unreadable", `it cannot be opened (${cause.code})`] as const);
    throw new VectorIndexError(code, problem, remedy, { file: path }, { cause });
  });
  try {
    if ((await file.stat()).isFile()) return file;
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  throw new VectorIndexError("unreadable", "it is no regular file", remedy, { file: path });
}
