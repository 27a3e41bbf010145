import { lstat, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { syncFolder } from "../../owner-file.ts";
import { DistillationError } from "./distillation-error.ts";

/** Where a run has what is not whole yet and what is on its way out: a name that nobody else's folder has. */
export const PARTIAL_FOLDER = ".distill-partial";
const TRASH_FOLDER = `${PARTIAL_FOLDER}/trash`;

/** Names with `/` between them, none of which leads upwards. @param what  the folder that it is below, for people */
export function pathBelow(what: string) {
  return v.pipe(v.string(), v.regex(/^(?!.*(^|\/)\.\.?(\/|$))[\w.-]+(\/[\w.-]+)*$/, `a path below ${what}`));
}

/**
 * Where a path of a run is: below the run's folder, and not only by its name.
 *
 * @param path  as {@link pathBelow} takes it; nothing need be there
 * @throws {DistillationError} `changed-output` where a link is on the way: what is read, made or deleted behind it would be
 * somebody else's
 */
export async function placeIn(folder: string, path: string): Promise<string> {
  let place = folder;
  for (const name of path.split("/")) {
    place = join(place, name);
    if (!(await isLink(place))) continue;
    throw new DistillationError("changed-output", `${place} is a link`, "put the file or folder itself there");
  }
  return place;
}

async function isLink(place: string): Promise<boolean> {
  try {
    return (await lstat(place)).isSymbolicLink();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}

/** Delete a file or folder of a run. It leaves its place in one stroke: half of it is never found there. @throws as `placeIn` */
export async function discard(folder: string, path: string): Promise<void> {
  const place = await placeIn(folder, path);
  const trash = join(await placeIn(folder, TRASH_FOLDER), encodeURIComponent(path));
  await mkdir(dirname(trash), { recursive: true });
  await rm(trash, { recursive: true, force: true });
  await rename(place, trash);
  await syncFolder(dirname(place));
  await rm(trash, { recursive: true });
}

/** Delete for good what was on its way out when a run ended. */
export async function emptyTrash(folder: string): Promise<void> {
  await rm(await placeIn(folder, TRASH_FOLDER), { recursive: true, force: true });
}
