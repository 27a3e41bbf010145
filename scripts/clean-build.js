import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { hasBuiltClean } from "./bootstrap/build-typescript.js";
import { runTool } from "./bootstrap/run-tool.js";

const NOT_COPIED = new Set(["node_modules", "dist", "build", "data", "vectors"]);

/**
 * Compile a copy of the packages that has no `dist` yet.
 *
 * An import of a package that is built later, or of a file that was deleted, still resolves in a worked-in clone,
 * because an old `dist` is there; here it does not. The copy lies outside the clone, where the compiler would look for
 * what the copy lacks. Where the set-up has built these very sources in a clone without `dist`, that was a clean build.
 *
 * @param {string} root
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
export async function buildClean(root) {
  if (hasBuiltClean(root)) return { ok: true, output: "" };
  const copy = realpathSync(mkdtempSync(join(tmpdir(), "lockstep-clean-build-")));
  try {
    const config = readFileSync(join(root, "tsconfig.json"), "utf8");
    const folders = JSON.parse(config).references.map(({ path }) => path);
    writeFileSync(join(copy, "tsconfig.json"), config);
    const own = new Set(folders.map((folder) => copyPackage(root, copy, folder)));
    linkOthers(root, copy, own);
    const tsc = join(root, "node_modules/typescript-native/bin/tsc");
    return await runTool(process.execPath, [tsc, "--build"], { cwd: copy });
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** @returns {string} the package's name, by which the other copies find it */
function copyPackage(root, copy, folder) {
  const target = join(copy, folder);
  cpSync(join(root, folder), target, { recursive: true, filter: (path) => !NOT_COPIED.has(basename(path)) });
  const { name } = JSON.parse(readFileSync(join(target, "package.json"), "utf8"));
  linkPackage(copy, name, target);
  return name;
}

/** What is installed, but for our own packages. */
function linkOthers(root, copy, own) {
  const installed = join(root, "node_modules");
  const names = readdirSync(installed).flatMap((name) =>
    name.startsWith("@") ? readdirSync(join(installed, name)).map((part) => `${name}/${part}`) : [name],
  );
  for (const name of names) {
    if (!name.startsWith(".") && !own.has(name)) linkPackage(copy, name, join(installed, name));
  }
}

function linkPackage(copy, name, target) {
  const link = join(copy, "node_modules", name);
  mkdirSync(dirname(link), { recursive: true });
  // A junction needs no privilege on Windows; elsewhere the word means nothing.
  symlinkSync(target, link, "junction");
}
