import { randomUUID } from "node:crypto";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "./translate.ts";

/** Sizes and hashes of what a kept folder holds. */
const SEAL_FILE = "kept.json";

type Seal = Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;

/** Note what a finished folder holds, so that damage to it is seen later. @param names  files of it that there are */
export async function seal(folder: string, names: readonly string[]): Promise<void> {
  const there = new Set(await readdir(folder));
  const rows = names.filter((name) => there.has(name)).map(async (name) => [name, await measure(join(folder, name))]);
  const noted: Seal = Object.fromEntries(await Promise.all(rows));
  await writeFile(join(folder, SEAL_FILE), JSON.stringify(noted));
}

/** Whether a kept folder is there, and every file of it as it was sealed. */
export async function isWhole(folder: string): Promise<boolean> {
  try {
    const rows = Object.entries(JSON.parse(await readFile(join(folder, SEAL_FILE), "utf8")) as Seal);
    const verdicts = rows.map(async ([name, noted]) => {
      const found = await measure(join(folder, name));
      return found.bytes === noted.bytes && found.sha256 === noted.sha256;
    });
    return rows.length > 0 && (await Promise.all(verdicts)).every((isSame) => isSame);
  } catch {
    // Whatever cannot be read, the seal or a file: it is to be made again.
    return false;
  }
}

/**
 * Move a sealed folder to its name. What is there already stays when it is whole, as another build may use it; what is
 * damaged makes room.
 */
export async function keepFolder(made: string, kept: string): Promise<void> {
  const isMoved = await tryRename(made, kept);
  if (isMoved || (await isWhole(kept))) return;
  const damaged = `${kept}.damaged-${randomUUID()}`;
  await tryRename(kept, damaged);
  try {
    await rename(made, kept);
  } catch (cause) {
    if (!(await isWhole(kept))) throw cause;
  } finally {
    await rm(damaged, { recursive: true, force: true });
  }
}

async function tryRename(from: string, to: string): Promise<boolean> {
  return rename(from, to).then(
    () => true,
    () => false,
  );
}

async function measure(file: string): Promise<Seal[string]> {
  const bytes = await readFile(file);
  return { bytes: bytes.length, sha256: sha256(bytes) };
}
