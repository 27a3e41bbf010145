import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { isOutOfRoom } from "../../disk-room.ts";
import { syncFolder } from "../../owner-file.ts";
import { LanguageModelError } from "./language-model-error.ts";

/** Behind the name of a file that is not whole yet. */
export const PARTIAL_SUFFIX = ".part";

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
  const partial = `${path}${PARTIAL_SUFFIX}`;
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

/** An error of the system while a file of a run is written: where there is no room, it says so, and what is left. */
export function aboutRoom(error: unknown, path: string): unknown {
  if (!isOutOfRoom(error)) return error;
  const remedy = "make room there; what was in its place is kept";
  return new LanguageModelError("no-room", `${path} cannot be written (${error.message})`, remedy, { cause: error });
}
