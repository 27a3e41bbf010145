import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { LanguageModelError } from "./language-model-error.ts";

/** Errors of the system where there is no room, by their code. */
const NO_ROOM: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/**
 * Put a file in place of what is there, or leave that as it is: whenever the process ends, the path has the one or the
 * other, whole, and after this resolves the power may go.
 *
 * @throws {LanguageModelError} `no-room`; and what the system says
 */
export async function replaceFile(
  path: string,
  pieces: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const partial = `${path}.part`;
  try {
    const file = await open(partial, "w");
    try {
      for await (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(partial, { force: true });
    throw aboutRoom(error, path);
  }
}

/** Have a rename on the disk. Not every system opens folders: those that do not need no telling. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

/** An error of the system while a file of a run is written: where there is no room, it says so, and what is left. */
export function aboutRoom(error: unknown, path: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined || !NO_ROOM.has(code)) return error;
  const remedy = "make room there; what was in its place is kept";
  return new LanguageModelError("no-room", `${path} cannot be written (${message})`, remedy, { cause: error });
}
