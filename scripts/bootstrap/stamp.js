import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { writing } from "./setup-error.js";

/**
 * SHA-256 over the paths and contents of files: what a build step's result depends on.
 *
 * Contents, not times: a checkout, a clone or a touched file changes no hash.
 *
 * @param {string} root
 * @param {string[]} inputs  files and folders, relative to `root`; those that do not exist count as empty
 * @param {(path: string) => boolean} [isInput]  which files of a folder count; gets the path from `root`, with `/`
 * @param {string} [salt]  anything else that the result depends on, such as a compiler's version
 * @returns {string} 64 hex digits
 */
export function contentHash(root, inputs, isInput = () => true, salt = "") {
  const hash = createHash("sha256").update(salt);
  for (const input of inputs) {
    for (const file of filesUnder(join(root, input))) {
      const path = relative(root, file).split(sep).join("/");
      if (isInput(path)) hash.update(`\0${path}\0`).update(readFileSync(file));
    }
  }
  return hash.digest("hex");
}

function filesUnder(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (!found.isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name !== "node_modules" && name !== "dist")
    .sort()
    .flatMap((name) => filesUnder(join(path, name)));
}

/**
 * Whether a step's last complete run was made from `hash`, and its outputs are still there.
 *
 * @param {string} root
 * @param {string} name
 * @param {string} hash
 * @param {string[]} outputs  files relative to `root`
 */
export function isStamped(root, name, hash, outputs) {
  const stamp = stampPath(root, name);
  return (
    existsSync(stamp) && readFileSync(stamp, "utf8") === hash && outputs.every((path) => existsSync(join(root, path)))
  );
}

/**
 * Note that a step has run to its end. Written last: a run that was killed halfway leaves the old stamp, or none.
 *
 * @param {string} root
 * @param {string} name
 * @param {string} hash
 */
export function writeStamp(root, name, hash) {
  const stamp = stampPath(root, name);
  writing(root, () => {
    mkdirSync(dirname(stamp), { recursive: true });
    writeFileSync(stamp, hash);
  });
}

function stampPath(root, name) {
  return join(root, ".lockstep", "stamps", name);
}
