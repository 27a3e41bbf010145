/** `npm run sbom -- PACKAGE`: what a package of ours brings along, as CycloneDX on standard output. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { continueOnNode24 } from "../cloud-node/bin/node24.js";
import { publishedFolders, ROOT, readLock, thirdParties } from "./third-party.js";

const LONG_OUTPUT_BYTES = 1 << 26;

/**
 * npm's SBOM of one of our packages, with that package as its subject.
 *
 * @param {string} name
 * @throws {RangeError} where npm fails, or its list lacks something that the lock file has
 */
export function sbomOf(name) {
  // Not with `--omit dev`: npm then leaves out whatever another package of the repository needs for its development too.
  const args = ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only", "--workspace", name];
  const options = { cwd: ROOT, encoding: "utf8", maxBuffer: LONG_OUTPUT_BYTES };
  const { status, stdout, stderr } = spawnSync("npm", args, options);
  if (status !== 0) throw new RangeError(`npm sbom: ${stderr}`);
  return sbomWithin(JSON.parse(stdout), name, broughtBy(name));
}

/**
 * An SBOM of the repository, narrowed to a package and what it brings along: npm also lists tools of development that
 * something would take if they were there, and describes the repository by the name of the folder that it lies in.
 *
 * @param {Record<string, any>} sbom
 * @param {string} name  of the package
 * @param {ReadonlySet<string>} brought  NAME@VERSION of all that it brings along
 * @throws {RangeError} where something of that is not in it
 */
export function sbomWithin(sbom, name, brought) {
  const byKey = new Map(sbom.components.map((component) => [keyOf(component.purl), component]));
  const subject = [...byKey.values()].find(({ purl }) => keyOf(purl).replace(/@[^@]+$/, "") === name);
  const missing = [...brought].filter((key) => !byKey.has(key));
  if (subject === undefined || missing.length > 0) {
    throw new RangeError(`npm's SBOM of ${name} lacks ${[...(subject ? [] : [name]), ...missing].join(", ")}`);
  }
  const components = [...byKey].filter(([key]) => brought.has(key)).map(([, component]) => component);
  const refs = new Set([subject, ...components].map((component) => component["bom-ref"]));
  const dependencies = sbom.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) }));
  return { ...sbom, metadata: { ...sbom.metadata, component: subject }, components, dependencies };
}

/** All that npm installs with a package: others', our own, and what its page bundles, which lies in it already. */
function broughtBy(name) {
  const lock = readLock();
  const manifests = publishedFolders().map((folder) => ({
    folder,
    ...JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")),
  }));
  const own = manifests.find((manifest) => manifest.name === name);
  if (own === undefined)
    throw new RangeError(`no package ${name}: there are ${manifests.map((one) => one.name).join(", ")}`);
  const needed = new Set([own]);
  for (const one of needed) {
    for (const other of manifests) if (one.dependencies?.[other.name] !== undefined) needed.add(other);
  }
  needed.delete(own);
  const bundled = Object.entries(own.devDependencies ?? {}).map(([one, version]) => `${one}@${version}`);
  const others = thirdParties(lock, [own.folder]).map((party) => `${party.name}@${party.version}`);
  return new Set([...others, ...bundled, ...[...needed].map((one) => `${one.name}@${one.version}`)]);
}

/** A package URL's name and version, as npm writes them: pkg:npm/%40scope/name@1.2.3 */
function keyOf(purl) {
  return decodeURIComponent(purl.replace(/^pkg:npm\//, "").replace(/\?.*$/, ""));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await continueOnNode24(import.meta.url);
  process.stdout.write(`${JSON.stringify(sbomOf(process.argv[2] ?? ""), null, 2)}\n`);
}
