import { randomBytes } from "node:crypto";
import { fchownSync, statSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { setTimeout } from "node:timers/promises";

const OWNER_ONLY = 0o600;
/** Permission bits of group and others. */
const NOT_OWNER = 0o077;
const ROOT = 0;
/** Another command that writes is waited for. */
const LOCK_TRIES = 20;
const LOCK_PAUSE_MS = 100;
/** What systems and file systems say that do not know of it: Windows, CIFS, FUSE. */
const NO_FOLDER_SYNC = new Set(["EINVAL", "ENOTSUP", "EISDIR", "EPERM", "EACCES"]);

/** Whether a file with this mode can be read or written by others than its owner. Windows has no such bits. */
export function isOpenToOthers({ mode }: { readonly mode: number }): boolean {
  return process.platform !== "win32" && (mode & NOT_OWNER) !== 0;
}

/** What tells one version of a file from the next, by mode or content; "" where none can be seen. */
export function fileVersion(file: string): string {
  try {
    const { ino, mtimeNs, ctimeNs, size } = statSync(file, { bigint: true });
    return `${ino} ${mtimeNs} ${ctimeNs} ${size}`;
  } catch {
    return "";
  }
}

/**
 * Put content in the place of a file's, for its owner alone: whole or not at all, whenever the power goes.
 *
 * The owner of the version before keeps it where root writes; of a first one it is the owner of what stands beside it
 * with the same name but for its suffix (of `node.db.devices`, `node.db`), else of its folder.
 */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const partial = `${file}.${randomBytes(4).toString("hex")}.part`;
  try {
    const handle = await open(partial, "wx", OWNER_ONLY);
    try {
      giveToOwner(handle, file);
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, file);
    await syncFolder(dirname(file));
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/**
 * Keep other commands from writing a file while `change` does: two that read, change and write at once undo each other.
 *
 * @param busy  what is thrown when another command does not end: told the lock's file, and why it cannot be made
 */
export async function whileLocked<Result>(
  file: string,
  busy: (lock: string, cause: unknown) => Error,
  change: () => Promise<Result>,
): Promise<Result> {
  const lock = `${file}.lock`;
  for (let tries = 1; ; tries++) {
    try {
      await (await open(lock, "wx", OWNER_ONLY)).close();
      break;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
      if (tries === LOCK_TRIES) throw busy(lock, cause);
      await setTimeout(LOCK_PAUSE_MS);
    }
  }
  try {
    return await change();
  } finally {
    await rm(lock, { force: true });
  }
}

function giveToOwner({ fd }: FileHandle, file: string): void {
  if (process.getuid?.() !== ROOT) return;
  const beside = file.slice(0, file.length - extname(file).length);
  const owner = [file, beside, dirname(file)]
    .map((path) => statSync(path, { throwIfNoEntry: false }))
    .find((facts) => facts !== undefined);
  if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid);
}

/** Make a rename in a folder last when the power goes, where the system lets a folder be opened for that. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(unlessUnsupported);
  await handle?.sync().catch(unlessUnsupported);
  await handle?.close();
}

function unlessUnsupported(error: NodeJS.ErrnoException): undefined {
  if (!NO_FOLDER_SYNC.has(error.code ?? "")) throw error;
}
