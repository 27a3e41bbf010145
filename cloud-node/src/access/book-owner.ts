import { closeSync, fchownSync, fsyncSync, openSync, statSync } from "node:fs";
import { dirname, extname } from "node:path";

const ROOT = 0;

/**
 * Give a new version of a book to whoever is to read it, where a command of root writes it: the owner of the version before,
 * else of the store beside it, else of the folder.
 *
 * @param handle  of the new version, open
 * @param file  the book, named as its store with a suffix of its own
 */
export function giveToOwner(handle: number, file: string): void {
  if (process.getuid?.() !== ROOT) return;
  const store = file.slice(0, file.length - extname(file).length);
  const owner = [file, store, dirname(file)]
    .map((path) => statSync(path, { throwIfNoEntry: false }))
    .find((facts) => facts !== undefined);
  if (owner !== undefined) fchownSync(handle, owner.uid, owner.gid);
}

/** Make a rename in a folder last when the power goes. */
export function syncFolder(folder: string): void {
  // There a folder cannot be opened.
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
