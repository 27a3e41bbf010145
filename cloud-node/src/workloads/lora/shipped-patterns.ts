import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Pattern } from "./example.ts";
import { LoraError } from "./lora-error.ts";
import { type PatternSource, readPatterns } from "./read-patterns.ts";

/** Beside the sources: what is built has none of it. */
const FOLDER = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "patterns/" : "../../../src/workloads/lora/patterns/", import.meta.url),
);
/** Larger than any file that a person writes. */
const MOST_BYTES = 4 << 20;
const ENDING = /\.ya?ml$/;

/** What is taught unless somebody says otherwise: everything that is shipped but the tables. */
export const USUAL_PATTERNS = ["code_idioms", "facts", "formats", "error_fixes"] as const;
/** Tables of keys and values: what the conditional memory is for. */
export const TABLES = "lookups";

/**
 * Patterns from files, folders of them, and the shipped ones by name.
 *
 * @param names  `facts`, `mine.yaml`, `folder`; the usual ones where there are none
 * @throws {LoraError} `bad-pattern`, `near-duplicate`, `too-few-patterns`
 */
export async function loadPatterns(names: readonly string[]): Promise<Pattern[]> {
  const paths = await Promise.all((names.length > 0 ? names : USUAL_PATTERNS).map(pathsOf));
  return readPatterns(await Promise.all([...new Set(paths.flat())].map(readSource)));
}

async function pathsOf(name: string): Promise<string[]> {
  const shipped = [...USUAL_PATTERNS, TABLES].find((known) => known === name);
  if (shipped !== undefined) return [join(FOLDER, `${shipped}.yaml`)];
  const place = await stat(name).catch((cause: unknown) => {
    const remedy = `give a file, a folder, or one of ${[...USUAL_PATTERNS, TABLES].join(", ")}`;
    throw new LoraError("bad-pattern", `there are no patterns in ${name}`, remedy, { cause });
  });
  if (!place.isDirectory()) return [name];
  const files = (await readdir(name)).filter((file) => ENDING.test(file)).sort();
  return files.map((file) => join(name, file));
}

async function readSource(path: string): Promise<PatternSource> {
  const name = basename(path);
  const { size } = await stat(path);
  if (size > MOST_BYTES) {
    throw new LoraError(
      "bad-pattern",
      `${name} has ${size} bytes, of ${MOST_BYTES} at most`,
      "make several files of it",
    );
  }
  try {
    return { name, text: new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path)) };
  } catch (cause) {
    throw new LoraError("bad-pattern", `${name} is not in UTF-8`, "save it as UTF-8", { cause });
  }
}
