import { statfs } from "node:fs/promises";
import { formatQuantity } from "./number-text.ts";
import { ApiProblem } from "./problem.ts";

/** What uploads leave free where the twins' store may be too, bytes: that goes on when no more files are taken. */
const RESERVE_BYTES = 1 << 28;

/**
 * Refuse bytes that would fill the disk, before the first one comes.
 *
 * @param folder  on that disk; null: they go elsewhere
 * @throws {ApiProblem} `disk-full`
 */
export async function checkRoom(folder: string | null, bytes: number): Promise<void> {
  if (folder === null) return;
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize - RESERVE_BYTES;
  if (bytes <= free) return;
  const [wanted, room] = [formatQuantity(bytes, "B"), formatQuantity(Math.max(0, free), "B")];
  const detail = `the upload is of ${wanted}, and the node has room for ${room}: make room there, or send less`;
  throw new ApiProblem("disk-full", detail, { bytes, free: Math.max(0, free) });
}
