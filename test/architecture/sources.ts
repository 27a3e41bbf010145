import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const NOT_SOURCE = new Set(["node_modules", "dist", "build", "coverage"]);

/** A file, by its path from the root (with `/` on every system) and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Every file with one of these endings, in path order; not what was installed or built.
 *
 * @param endings  such as `.ts`
 */
export function sourceFiles(endings: readonly string[]): SourceFile[] {
  return pathsUnder("")
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));
}

function pathsUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter(({ name }) => !name.startsWith(".") && !NOT_SOURCE.has(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return pathsUnder(path);
      return entry.isFile() ? [path] : [];
    });
}
