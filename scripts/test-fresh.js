/**
 * `npm run test:fresh`: clone, `npm start`, `npm test` on a bare Debian, which is what a fresh machine is.
 *
 * The bare Debian is a folder that debootstrap fills: git, this machine's Node and npm, and its way to its
 * registries; no cache, no compiler, nothing else. What is tested is the last commit. Needs root on Debian, and takes
 * minutes. `--keep` leaves the folder for a look.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installOsPackages } from "./apt-install.js";
import { nodeAndNpm } from "./bootstrap/install.js";
import { SetupError } from "./bootstrap/setup-error.js";
import { isDebian, missingOsPackages } from "./os-packages.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DEMO_SECONDS = 15;

/** How this machine reaches Debian's packages and npm's registry; what is not there is left out. */
const WAYS_OUT = [
  "/etc/apt/apt.conf.d",
  "/etc/apt/sources.list",
  "/etc/apt/sources.list.d",
  "/etc/apt/trusted.gpg.d",
  "/etc/hosts",
  "/etc/resolv.conf",
  "/etc/ssl/certs/ca-certificates.crt",
  "/usr/share/keyrings",
];

/** Mounts are made in a namespace of their own: they are gone when it ends, however it ends. */
const NAMESPACE = ["--mount", "--pid", "--fork", "--kill-child"];
const ENTER = `
  mount --bind /dev "$1/dev"
  mount --bind /dev/pts "$1/dev/pts"
  mount -t tmpfs tmpfs "$1/dev/shm"
  mount -t proc proc "$1/proc"
  exec chroot "$1" /usr/bin/env -i CI=true HOME=/root LANG=C.UTF-8 PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    sh -ec "$2"`;

function main() {
  if (!isDebian() || process.getuid?.() !== 0) {
    throw new SetupError("unsupported-platform", "test:fresh needs root on Debian: `npm test` runs anywhere");
  }
  installOsPackages(missingOsPackages("test:fresh"), say);
  const folder = mkdtempSync(join(tmpdir(), "lockstep-fresh-"));
  // It becomes the root folder, which programs that give up being root (mosquitto) must be able to pass.
  chmodSync(folder, 0o755);
  try {
    timed("debootstrap", () => bootstrapDebian(folder));
    bringNodeAndNpm(folder);
    run("git", ["bundle", "create", join(folder, "root/lockstep.bundle"), "HEAD"], { stdio: "ignore", cwd: ROOT });
    timed("git clone", () => inside(folder, "git -c advice.detachedHead=false clone --quiet lockstep.bundle lockstep"));
    timed("npm start", () => inside(folder, `cd lockstep && npm start -- --duration ${DEMO_SECONDS}`));
    timed("npm test", () => inside(folder, "cd lockstep && npm test"));
  } finally {
    if (process.argv.includes("--keep")) say(`kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

function bootstrapDebian(folder) {
  const { codename, mirror } = debianSource();
  run("debootstrap", ["--variant=minbase", "--include=git,ca-certificates", codename, folder, mirror], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  for (const path of WAYS_OUT) {
    if (!existsSync(path)) continue;
    // What debootstrap put there goes first: a link in there would lead out of the folder.
    rmSync(join(folder, path), { recursive: true, force: true });
    cpSync(path, join(folder, path), { recursive: true, dereference: true });
  }
}

/** The release that runs here, and the mirror that apt is set up to take it from. */
function debianSource() {
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  const format = ["indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages"];
  const { stdout } = spawnSync("apt-get", format, { encoding: "utf8" });
  const source = stdout
    .split("\n")
    .map((line) => line.split(" "))
    .find(([name]) => name === codename);
  if (source === undefined) {
    throw new SetupError("tool", `apt knows no mirror for ${codename}: type \`apt-get update\`, then run this again`);
  }
  return { codename, mirror: source[1] };
}

/** Debian's own Node is older than the oldest that the set-up runs on, so the one in use here comes along. */
function bringNodeAndNpm(folder) {
  const { node, npm } = nodeAndNpm(ROOT);
  const local = join(folder, "usr/local");
  copyFileSync(node, join(local, "bin/node"));
  mkdirSync(join(local, "lib/node_modules"), { recursive: true });
  cpSync(join(dirname(npm), ".."), join(local, "lib/node_modules/npm"), { recursive: true });
  for (const name of ["npm", "npx"]) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, "bin", name));
  }
  for (const level of ["globalconfig", "userconfig"]) {
    const { stdout } = spawnSync(node, [npm, "config", "get", level], { encoding: "utf8", cwd: tmpdir() });
    const config = stdout.trim();
    const target = level === "userconfig" ? "root/.npmrc" : "usr/local/etc/npmrc";
    if (!existsSync(config)) continue;
    mkdirSync(dirname(join(folder, target)), { recursive: true });
    copyFileSync(config, join(folder, target));
  }
}

function inside(folder, command) {
  run("unshare", [...NAMESPACE, "sh", "-ec", ENTER, "sh", folder, `cd /root && ${command}`]);
}

function run(command, args, options = {}) {
  const { status, signal, error } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"], ...options });
  if (error) throw new SetupError("tool", `${command} cannot be run: ${error.message}`, { cause: error });
  if (status !== 0) throw new SetupError("tool", `${command} ended with ${signal ?? status}: see what it said above`);
}

function timed(name, action) {
  const startedMs = Date.now();
  action();
  say(`test:fresh: ${name}: ${((Date.now() - startedMs) / 1000).toFixed(0)} s`);
}

function say(line) {
  process.stdout.write(`${line}\n`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`test:fresh: ${error.message}\n`);
  process.exitCode = 1;
}
