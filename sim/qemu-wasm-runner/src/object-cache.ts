import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "./translate.ts";

/**
 * An object that was compiled before from the same text, by the same compiler and with the same flags, or a new one.
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
  if (existsSync(kept)) return copyFile(kept, object);
  await compile();
  await mkdir(folder, { recursive: true });
  // Whole under its name, or not at all: another build may look for it now.
  const aside = join(folder, `${randomUUID()}.part`);
  await copyFile(object, aside);
  await rename(aside, kept);
}
