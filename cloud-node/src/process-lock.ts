import { createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { whileLocked } from "./owner-file.ts";
import { isRunning } from "./running-process.ts";

/** What a lock is called after its file. */
const ENDING = ".lock";
/** Names of files are this long at most; the lock has one of its own while it is taken from a process that has ended. */
const MOST_NAME_BYTES = 255 - 2 * ENDING.length;

/**
 * Take a file for this process alone, until it is given back or the process ends: FILE.lock beside it has its number.
 *
 * @param busy  what is thrown where a process that runs has it: told the lock's file
 * @returns gives it back
 */
export async function takeLock(
  file: string,
  busy: (lock: string, cause?: unknown) => Error,
): Promise<() => Promise<void>> {
  const lock = lockPath(file);
  const release = async () => await rm(lock, { force: true });
  if (await hasMade(lock)) return release;
  // One at a time: of two who find it left behind, the second must not remove what the first made in its place.
  await whileLocked(lock, busy, async () => {
    if (await isHeld(lock)) throw busy(lock);
    await rm(lock, { force: true });
    if (!(await hasMade(lock))) throw busy(lock);
  });
  return release;
}

/** Where a file's lock is: a name that is too long for an ending is told from others by its digest. */
function lockPath(file: string): string {
  const name = basename(file);
  if (Buffer.byteLength(name) <= MOST_NAME_BYTES) return `${file}${ENDING}`;
  return join(dirname(file), `${createHash("sha256").update(name).digest("hex")}${ENDING}`);
}

/** Make a lock where there is none. */
async function hasMade(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, `${process.pid}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Whether a lock is a process's that runs, or does not say whose it is. */
async function isHeld(lock: string): Promise<boolean> {
  const owner = Number((await readFile(lock, "utf8").catch(() => "")).trim());
  return !(Number.isInteger(owner) && owner > 0) || isRunning(owner);
}
