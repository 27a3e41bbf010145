import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "./translate.ts";

/** A kept object comes after its own SHA-256, in hex digits. */
const HASH_DIGITS = 64;

/**
 * An object that was compiled before from the same text, by the same compiler and with the same flags, or a new one; a
 * kept one that was damaged is made anew.
 *
 * @param folder  of kept objects; created when missing
 * @param facts   all that decides what the object is: preprocessed text, flags, the compiler's version
 * @param object  where it is wanted
 * @param compile  makes it there
 */
export async function compileOnce(
  folder: string,
  facts: readonly (string | Uint8Array)[],
  object: string,
  compile: () => Promise<void>,
): Promise<void> {
  const kept = join(folder, `${sha256(...facts)}.o`);
  const found = await readKept(kept);
  if (found !== null) return writeFile(object, found);
  await compile();
  await mkdir(folder, { recursive: true });
  // Whole under its name, or not at all: another build may look for it now.
  const aside = join(folder, `${randomUUID()}.part`);
  const bytes = await readFile(object);
  await writeFile(aside, Buffer.concat([Buffer.from(sha256(bytes)), bytes]));
  await rename(aside, kept);
}

/** @returns null for none, and for one that is not as it was kept */
async function readKept(file: string): Promise<Buffer | null> {
  const kept = await readFile(file).catch(() => Buffer.alloc(0));
  const object = kept.subarray(HASH_DIGITS);
  return kept.toString("latin1", 0, HASH_DIGITS) === sha256(object) ? object : null;
}
