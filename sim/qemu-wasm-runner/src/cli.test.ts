import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { main } from "./cli.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "runner-cli-"));
const MODULE = join(FOLDER, "add.wasm");
/** (func (export "add") (param i32 i32) (result i32)) and (func (export "stop") unreachable). */
const ADD = [
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 10, 2, 0x60, 2, 0x7f, 0x7f, 1, 0x7f, 0x60, 0, 0],
  ...[3, 3, 2, 0, 1],
  ...[7, 14, 2, 3, 0x61, 0x64, 0x64, 0, 0, 4, 0x73, 0x74, 0x6f, 0x70, 0, 1],
  ...[10, 13, 2, 7, 0, 0x20, 0, 0x20, 1, 0x6a, 0x0b, 3, 0, 0x00, 0x0b],
];

writeFileSync(MODULE, Uint8Array.from(ADD));
afterAll(() => rmSync(FOLDER, { recursive: true }));

async function command(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  const told = { out: "", error: "" };
  const code = await main(args, {
    out: (text) => {
      told.out += text;
    },
    error: (text) => {
      told.error += text;
    },
    outBytes: (bytes) => {
      told.out += Buffer.from(bytes).toString("latin1");
    },
    input: Readable.from([]),
    cacheFolder: join(FOLDER, "cache"),
    onInterrupt: () => () => {},
  });
  return { code, ...told };
}

test("run calls exports and prints what they give", async () => {
  expect(await command("run", MODULE, "--board", "node", "--call", "add 2 40", "--call", "add -1 0x10")).toEqual({
    code: 0,
    out: "add 2 40: 42\nadd -1 0x10: 15\n",
    error: "",
  });
});

test("a trap is told, and makes the exit code 1", async () => {
  const { code, out } = await command(
    "run",
    MODULE,
    "--board",
    "node",
    "--call",
    "stop",
    "--call",
    "add 1 1",
    "--json",
  );
  expect(code).toBe(1);
  expect(JSON.parse(out)).toEqual({
    board: "node",
    calls: [
      { function: "stop", trap: "unreachable" },
      { function: "add", results: ["2"] },
    ],
  });
});

test("build with --json is one object that names the module by its hash", async () => {
  const { code, out } = await command("build", MODULE, "--board", "node", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    board: "node",
    file: null,
    moduleId: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});

test("doctor names every tool, and what installs it where it is missing", async () => {
  const { out } = await command("doctor", "--json");
  const [tool] = JSON.parse(out).tools;
  expect(tool).toMatchObject({
    name: "c-compiler",
    boards: ["host"],
    install: expect.stringContaining("apt-get install"),
  });
});

test("a module may be given as text", async () => {
  const example = fileURLToPath(new URL("../examples/running-mean.wat", import.meta.url));
  const calls = ["--call", "update 100", "--call", "update 100", "--call", "perMille 1000"];
  expect(await command("run", example, "--board", "node", ...calls)).toEqual({
    code: 0,
    out: "update 100: 200\nupdate 100: 375\nperMille 1000: 23\n",
    error: "",
  });
  const broken = join(FOLDER, "broken.wat");
  writeFileSync(broken, '(module (func (export "f") (nope)))');
  expect(await command("run", broken, "--board", "node", "--call", "f")).toMatchObject({
    code: 1,
    error: expect.stringMatching(/bad-module.*broken\.wat:1/),
  });
});

test("a bench where nothing can be counted fails, and says why", async () => {
  const { code, out, error } = await command("bench", MODULE, "--board", "node", "--call", "add 1 1");
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(error).toMatch(/not-counting, board node/);
});

test("a call without a word shows the usage, and is wrong usage", async () => {
  expect(await command()).toMatchObject({ code: 2, out: "", error: expect.stringContaining("usage: ") });
});

test("-h is --help, and --version is that of the package", async () => {
  expect(await command("-h")).toEqual(await command("--help"));
  expect(await command("--version")).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

test("an option of another command is refused by name, with those that there are", async () => {
  const { error } = await command("bench", MODULE, "--call", "add 1 1", "--out", "F");
  expect(error).toMatch(/usage, command bench, refuses --out, takes .*--max-flash/);
});

test.for([
  ["--out in a folder that is missing", join(FOLDER, "missing/program"), ["--out", join(FOLDER, "missing/program")]],
  ["--out on a folder", FOLDER, ["--out", FOLDER]],
  ["--cache on a file", MODULE, ["--cache", MODULE]],
] as const)("what the system refuses is told with its path: %s", async ([, path, options]) => {
  const { code, out, error } = await command("build", MODULE, "--board", "host", ...options);
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(error).toMatch(/^wasm runner: file-failed, path .*, problem E[A-Z]+, doing \w+.*\n$/);
  expect(error).toContain(`path ${path},`);
});

test("help is not an error and shows an example", async () => {
  expect(await command("--help")).toMatchObject({
    code: 0,
    out: expect.stringContaining("examples:\n  qemu-wasm-runner "),
    error: "",
  });
});

test.for([
  [["run", MODULE]],
  [["run", MODULE, "--board", "mars", "--call", "add 1 1"]],
  [["run", MODULE, "--board", "node", "--call", "add one 1"]],
  [["run", join(FOLDER, "missing.wasm"), "--call", "add 1 1"]],
  [["build"]],
  [["bench", MODULE, "--board", "mps2-an386"]],
  [["bench", MODULE, "--board", "mps2-an386", "--call", "add 1 1", "--max-flash", "1k"]],
  [["build", MODULE, "--checks", "some"]],
  [["build", MODULE, "--optimize", "hard"]],
  [["build", MODULE, "--nope"]],
  [["fly", MODULE]],
  [["build", MODULE, "more"]],
  [["doctor", MODULE]],
  [["build", MODULE, "--max-flash", "10"]],
  [["build", MODULE, "--call", "add 1 1"]],
  [["bench", MODULE, "--board", "mps2-an386", "--call", "add 1 1", "--out", "F"]],
  [["doctor", "--board", "host"]],
  [["build", MODULE, "--board", "node", "--out", join(FOLDER, "nothing")]],
  [["build", MODULE, "--board", "node", "--memory", "256"]],
  [["build", MODULE, "--memory", "abc"]],
  [["build", MODULE, "--memory", ""]],
  [["build", MODULE, "--memory", "1e3"]],
  [["run", MODULE, "--call", "add 1 1", "--timeout", "0"]],
  [["run", MODULE, "--call", "add 1 1", "--timeout", "9999999999"]],
  [["run", MODULE, "--board", "node", "--call", "add 1 1", "--timeout", "100"]],
  [["run", MODULE, "--board", "node", "--call", "add 1"]],
  [["run", MODULE, "--board", "node", "--call", "add 1 2 3"]],
] as const)("wrong usage ends with 2 and one line: %j", async ([args]) => {
  const { code, out, error } = await command(...args);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(error).toMatch(/^wasm runner: .*\n$/);
});

test("an unknown board is refused with those that there are", async () => {
  const { error } = await command("build", MODULE, "--board", "mars");
  expect(error).toMatch(/^wasm runner: unknown-board, board "mars", known host node .*mps2-an386.*\n$/);
});

test("a way to run that there is not is refused with those that there are", async () => {
  const { code, error } = await command("run", MODULE, "--mode", "jit", "--call", "add 1 2");
  expect({ code, error }).toEqual({ code: 2, error: "wasm runner: usage, mode jit, known aot interp\n" });
  expect((await command("run", MODULE, "--board", "node", "--mode", "interp", "--call", "add 1 2")).code).toBe(2);
});
