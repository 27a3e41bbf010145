/**
 * `npm run release [-- --dry-run]`: every package that is published, with its SBOM and the digests of all, from a tree that
 * is as it was committed and tested. With `--dry-run` npm packs and checks everything, and sends nothing.
 *
 * Files are left in `.lockstep/release`. docs/releasing.md says what comes before and after.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { continueOnNode24 } from "../cloud-node/bin/node24.js";
import { isPageCurrent } from "./licences.js";
import { sbomOf } from "./sbom.js";
import { publishedFolders, ROOT } from "./third-party.js";

const OUT = join(ROOT, ".lockstep/release");
const UNPUBLISHED = "Not published yet";
/** npm lists every file of a package otherwise. */
const QUIET = "--loglevel=error";

/**
 * What stands in the way of a release, each in a line that says what to do.
 *
 * @param {object} tree
 * @param {ReturnType<typeof readPackages>} tree.packages
 * @param {string} tree.changes  what git has to say of the working tree
 * @param {boolean} tree.isPageCurrent
 * @returns {string[]}
 */
export function obstacles({ packages, changes, isPageCurrent }) {
  const versions = [...new Set(packages.map(({ version }) => version))];
  const found = versions.length === 1 ? [] : [`packages have versions ${versions.join(", ")}: give all the same`];
  const names = new Set(packages.map(({ name }) => name));
  for (const { folder, version, needs, changelog, repository } of packages) {
    if (repository?.url === undefined || repository.directory !== folder) {
      found.push(
        `${folder}/package.json: npm takes provenance only with "repository": its url, and directory ${folder}`,
      );
    }
    for (const [name, wanted] of Object.entries(needs)) {
      if (names.has(name) && wanted !== version)
        found.push(`${folder} needs ${name} ${wanted}, and this is ${version}`);
    }
    const [, section] = changelog.split(`\n## ${version}\n`);
    if (section === undefined) found.push(`${folder}/CHANGELOG.md has no section ${version}: write it`);
    else if (section.trimStart().startsWith(UNPUBLISHED)) found.push(`${folder}/CHANGELOG.md: date section ${version}`);
  }
  if (changes !== "") found.push("the working tree is not as it was committed: commit, or put it back");
  if (!isPageCurrent) found.push("docs/THIRD-PARTY.md is not up to date: npm run licences");
  return found;
}

/** What the working tree says of the packages that are published, the one before the other that needs it. */
export function readPackages() {
  return publishedFolders().map((folder) => {
    const manifest = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8"));
    const changelog = readFileSync(join(ROOT, folder, "CHANGELOG.md"), "utf8");
    const { name, version, dependencies: needs = {}, repository } = manifest;
    return { folder, name, version, needs, changelog, repository };
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await continueOnNode24(import.meta.url);
  release(process.argv.includes("--dry-run"));
}

function release(isRehearsal) {
  const packages = readPackages();
  const changes = run("git", "status", "--porcelain").trim();
  const found = obstacles({ packages, changes, isPageCurrent: isPageCurrent() });
  for (const obstacle of found) say(`${isRehearsal ? "would stop" : "stopped"}: ${obstacle}`);
  if (found.length > 0 && !isRehearsal) {
    process.exitCode = 1;
    return;
  }
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  run("npm", "pack", QUIET, "--pack-destination", OUT, ...packages.map(({ folder }) => `./${folder}`));
  for (const { name, version } of packages) {
    writeFileSync(`${fileOf(name, version)}.cdx.json`, `${JSON.stringify(sbomOf(name), null, 2)}\n`);
  }
  const digest = (file) =>
    createHash("sha256")
      .update(readFileSync(join(OUT, file)))
      .digest("hex");
  const digests = readdirSync(OUT).map((file) => `${digest(file)}  ${file}\n`);
  writeFileSync(join(OUT, "SHA256SUMS"), digests.join(""));
  say(digests.join("").trimEnd());
  // Provenance is signed by the continuous integration that builds it; nobody else can.
  const how = isRehearsal ? ["--dry-run"] : process.env.GITHUB_ACTIONS === "true" ? ["--provenance"] : [];
  for (const { name, version } of packages) {
    run("npm", "publish", QUIET, `${fileOf(name, version)}.tgz`, "--access", "public", ...how);
    say(`${isRehearsal ? "would publish" : "published"} ${name} ${version}`);
  }
}

/** Where npm packs a version of a package to, without the ending. */
function fileOf(name, version) {
  return join(OUT, `${name.replace("@", "").replace("/", "-")}-${version}`);
}

/** Run a program in the repository to its end; what it says goes to standard error. */
function run(program, ...args) {
  const { status, stdout } = spawnSync(program, args, {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new RangeError(`${program} ${args.join(" ")} ended with ${status}`);
  return stdout;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
