import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";

/** What a path has; undefined where nothing is. @throws what else the system says, such as that nobody may look there */
export async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
