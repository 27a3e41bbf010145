import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { hasBuiltClean } from "./bootstrap/build-typescript.js";
import { runTool } from "./bootstrap/run-tool.js";

const NOT_COPIED = new Set(["node_modules", "dist", "build", "data", "vectors"]);

/**
 * Compile a copy of the packages that has no `dist` yet.
 *
 * An import of a package that is built later, or of a file that was deleted, still resolves in a worked-in clone,
 * because an old `dist` is there; here it does not. The copy lies inside the clone, so that everything but our own
 * packages is found in the clone's `node_modules`. Where the set-up has built these very sources in a clone without
 * `dist`, that was a clean build.
 *
 * @param {string} root
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
export async function buildClean(root) {
  if (hasBuiltClean(root)) return { ok: true, output: "" };
  mkdirSync(join(root, ".lockstep"), { recursive: true });
  const copy = mkdtempSync(join(root, ".lockstep", "clean-build-"));
  try {
    const config = readFileSync(join(root, "tsconfig.json"), "utf8");
    const folders = JSON.parse(config).references.map(({ path }) => path);
    writeFileSync(join(copy, "tsconfig.json"), config);
    for (const folder of folders) copyPackage(root, copy, folder);
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    return await runTool(process.execPath, [tsc, "--build"], { cwd: copy });
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function copyPackage(root, copy, folder) {
  const target = join(copy, folder);
  cpSync(join(root, folder), target, { recursive: true, filter: (path) => !NOT_COPIED.has(basename(path)) });
  const { name } = JSON.parse(readFileSync(join(target, "package.json"), "utf8"));
  const link = join(copy, "node_modules", name);
  mkdirSync(dirname(link), { recursive: true });
  // A junction needs no privilege on Windows; elsewhere the word means nothing.
  symlinkSync(target, link, "junction");
}
