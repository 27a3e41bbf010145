import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { platformProblem } from "../../cloud-node/bin/node24.js";
import { runTool } from "./run-tool.js";
import { SetupError } from "./setup-error.js";

const CI_OPTIONS = [
  "ci",
  // Whatever NODE_ENV or the person's configuration leaves out: Node 24 is optional (by platform), the rest is for
  // development.
  "--include=dev",
  "--include=optional",
  // What ends up on the disk is what the lock file has a digest of, and nothing that a script fetched.
  "--ignore-scripts",
  "--no-audit",
  "--no-fund",
  "--no-progress",
  "--loglevel=error",
  // A person without network should read so within seconds.
  "--fetch-retries=1",
  "--fetch-retry-mintimeout=1000",
  "--fetch-retry-maxtimeout=5000",
];

/**
 * Dependencies, exactly as `package-lock.json` says.
 *
 * @param {string} root
 * @returns {import("./main.js").Step}
 */
export function installStep(root) {
  return {
    doing: "installing dependencies",
    done: "installed dependencies",
    isDone: () => isInstalled(readJson(join(root, "package-lock.json")), readInstalled(root)),
    run: (track) => install(root, track),
  };
}

/**
 * Whether everything in the lock file is installed in that version.
 *
 * npm writes `node_modules/.package-lock.json` last, so it is the stamp of a complete install, whoever made it.
 *
 * @param {{ packages: Record<string, object> }} locked
 * @param {{ packages: Record<string, object> } | undefined} installed
 * @param {{ platform: string, arch: string }} [host]
 */
export function isInstalled(locked, installed, { platform, arch } = process) {
  if (installed === undefined) return false;
  return Object.entries(locked.packages)
    .filter(([path]) => path.includes("node_modules/"))
    .every(([path, wanted]) => {
      const present = installed.packages[path];
      if (present !== undefined) {
        return present.version === wanted.version && present.integrity === wanted.integrity;
      }
      return wanted.optional === true && !isFor(wanted, platform, arch);
    });
}

/** Packages that differ by C library say so in `libc`; npm knows which it took, and a guess here would not. */
function isFor({ os = [], cpu = [], libc }, platform, arch) {
  return libc === undefined && os.includes(platform) && cpu.includes(arch);
}

async function install(root, track) {
  const problem = platformProblem(process);
  if (problem !== undefined) throw new SetupError("unsupported-platform", problem);
  const { node, npm } = nodeAndNpm(root);
  const { ok, output } = await runTool(node, [npm, ...CI_OPTIONS], { cwd: root, track });
  if (!ok) throw installError(output, root);
}

/**
 * The Node and the npm that the person has, as files: those in `node_modules` are about to be replaced.
 *
 * @param {string} root
 * @returns {{ node: string, npm: string }}  a program, and a script for it
 * @throws {SetupError} `tool`
 */
export function nodeAndNpm(root) {
  const node = nodeOutside(root);
  const npm = npmCli(node);
  if (npm === undefined) throw new SetupError("tool", "npm was not found: run this as `npm run build`");
  return { node, npm };
}

function nodeOutside(root) {
  const node = process.env.npm_node_execpath ?? process.execPath;
  if (process.platform === "win32" && node.startsWith(join(root, "node_modules") + sep)) {
    throw new SetupError("tool", "Windows cannot replace the program in use: type `npm ci`, then run this again");
  }
  return node;
}

function npmCli(node) {
  const running = process.env.npm_execpath;
  if (running !== undefined && basename(running).startsWith("npm-cli")) return running;
  const beside = dirname(node);
  return [join(beside, "node_modules/npm"), join(beside, "../lib/node_modules/npm")]
    .map((folder) => join(folder, "bin/npm-cli.js"))
    .find((path) => existsSync(path));
}

/**
 * What a failed `npm ci` means, in one line.
 *
 * @param {string} output  what npm printed
 * @param {string} root
 * @returns {SetupError}
 */
export function installError(output, root) {
  const code = /npm (?:error|ERR!) code (\w+)/.exec(output)?.[1] ?? "";
  const path = /npm (?:error|ERR!) path (.+)/.exec(output)?.[1] ?? root;
  if (/^(ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED)$/.test(code)) {
    return new SetupError(
      "network",
      `dependencies could not be fetched, the package registry does not answer (${code}): connect to the network, then run this again`,
    );
  }
  if (/^(EACCES|EROFS|EPERM)$/.test(code)) {
    return new SetupError(
      "read-only",
      `npm cannot write ${path}: make it writable, or clone into a folder of your own`,
    );
  }
  if (code === "ENOSPC") {
    return new SetupError("disk-full", `the disk of ${path} is full: free some space, then run this again`);
  }
  if (code === "EUSAGE") {
    return new SetupError(
      "lock-file",
      "package-lock.json does not fit the package.json files: type `npm install`, and commit what it changes",
    );
  }
  return new SetupError(
    "tool",
    `\`npm ci\` failed (${code || "no code"}), as said above: mend it, then run this again`,
    {
      output,
    },
  );
}

function readInstalled(root) {
  const path = join(root, "node_modules", ".package-lock.json");
  return existsSync(path) ? readJson(path) : undefined;
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}
