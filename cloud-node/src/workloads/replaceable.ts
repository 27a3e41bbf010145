import { stat } from "node:fs/promises";

/** Whether a whole file may take a path's place: there is none yet, or a plain one, and no device, pipe, socket or folder. */
export async function isReplaceable(path: string): Promise<boolean> {
  const place = await stat(path).catch(unlessTooLong);
  return place === undefined || place.isFile();
}

/** Of a path that nothing can have: better said before the work than after it. */
function unlessTooLong(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENAMETOOLONG") throw error;
}
