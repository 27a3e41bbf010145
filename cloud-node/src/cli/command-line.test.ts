import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { systemClock, systemRandom } from "@lockstep/edge-sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createProgram, runCommandLine } from "./command-line.ts";
import type { Surroundings } from "./surroundings.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-cli-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Run a command line in this process. */
async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const surroundings: Surroundings = {
    ...{ args, env: {}, stdin, stdout, stderr, clock: systemClock(), random: systemRandom() },
    interrupt: new AbortController().signal,
  };
  const code = await runCommandLine(surroundings);
  return { code, out: String(stdout.read() ?? ""), err: String(stderr.read() ?? "") };
}

test.each([
  [["encod"], "did you mean encode?"],
  [["encode", "x", "--esp", "1"], "did you mean --eps?"],
  [["encode"], "IN"],
  [["nothing", "--help"], "unknown command 'nothing'"],
  [["devices", "nothing", "--help"], "unknown command 'nothing'"],
  [["encode", "x", "--eps=-1", "--out", "y"], "a number ≥ 0"],
  [["encode", "x", "--eps", "1", "--out", "."], "name a file in it"],
  [["serve", "--group", "a/b"], "letters, digits"],
  [["sim", "rotor", "--id", "a/b"], "letters, digits"],
  [["encode", "x", "--out", "y"], "give one of them"],
  [["sim"], "subcommand"],
  [["sim", "rotor"], "--to mqtt://"],
  [["sim", "rotor", "--to", "nowhere"], "write mqtt://"],
  [["sim", "rotor", "--lookahead", "far"], "invalid: allowed are none, greedy, programme; see"],
  [["sim", "run", "power-cut", "--lookahead", "far"], "invalid: allowed are none, greedy, programme; see"],
  [["encode", "x", "--lookahead", "far"], "invalid: allowed are none, greedy, programme; see"],
  [["sim", "run", "no-such-scenario"], "lossy-uplink"],
  [["demo", "--duration", "-1"], "a number > 0"],
  [["serve", "--broker", "foreign"], "write embedded, or mqtt://"],
  [[], "lockstep demo"],
])("wrong usage ends with exit code 2 and one line that says what to do: %j", async (args, remedy) => {
  const { code, out, err } = await run(...args);
  expect(code).toBe(2);
  expect(out).toBe("");
  expect(err.trimEnd().split("\n")).toHaveLength(1);
  expect(err).toMatch(/^lockstep: /);
  expect(err).toContain(remedy);
  expect(err).toContain("--help");
});

test("every command explains itself, with an example", async () => {
  const program = createProgram({
    ...{ args: [], env: {}, stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() },
    ...{ clock: systemClock(), random: systemRandom(), interrupt: new AbortController().signal },
  });
  const paths = program.commands.flatMap((command) =>
    command.commands.length === 0
      ? [[command.name()]]
      : command.commands.map((child) => [command.name(), child.name()]),
  );
  expect(paths.length).toBeGreaterThan(8);
  for (const path of paths) {
    const { code, out } = await run(...path, "--help");
    expect(code).toBe(0);
    expect(out, path.join(" ")).toContain(`$ lockstep ${path.join(" ")}`);
  }
});

test("with --json standard output holds exactly one object", async () => {
  const input = join(folder, "a.csv");
  await writeFile(input, "t,x\n0,1\n1,2\n2,3\n");
  const encoded = await run("encode", input, "--eps", "0.5", "--out", join(folder, "a.lst"), "--json");
  expect(encoded.code, encoded.err).toBe(0);
  expect(JSON.parse(encoded.out)).toMatchObject({ samples: 3, channels: 1, timeEps: 0, lookahead: "programme" });
  const decoded = await run("decode", join(folder, "a.lst"), "--json");
  expect(JSON.parse(decoded.out)).toMatchObject({ samples: 3, blocks: 1 });
  const doctor = await run("doctor", "--json");
  expect(JSON.parse(doctor.out).findings.map(({ name }: { name: string }) => name)).toContain("codec module");
});

test("what is missing ends with exit code 1 and one line that says what to do", async () => {
  const { code, err } = await run("devices", "list", "--store", join(folder, "none.db"));
  expect(code).toBe(1);
  expect(err).toMatch(/^lockstep: no store at .*: give --store FILE/);
});

test("a damaged file ends with exit code 1, names the last good sample, and keeps what came before", async () => {
  const path = join(folder, "damaged.lst");
  await writeFile(path, "not one of ours at all");
  const { code, err } = await run("decode", path);
  expect(code).toBe(1);
  expect(err).toContain("not a telemetry container");
});

test("a command never writes over the file it reads, nor over another one when it has nothing to give", async () => {
  const input = join(folder, "own.csv");
  const text = "t,x\n0,1\n1,2\n2,3\n";
  await writeFile(input, text);
  await symlink(input, join(folder, "alias.csv"));
  for (const command of [
    ["encode", input, "--eps", "0.5"],
    ["decode", input],
  ]) {
    for (const out of [input, join(folder, "alias.csv")]) {
      const { code, err } = await run(...command, "--out", out);
      expect(code).toBe(2);
      expect(err).toContain("is the file to read");
    }
  }
  const other = join(folder, "other.lst");
  await writeFile(other, "no container");
  expect((await run("decode", other, "--out", input)).code).toBe(1);
  expect(await readFile(input, "utf8")).toBe(text);
  expect((await readdir(folder)).filter((name) => name.endsWith(".part"))).toEqual([]);
});

test("a file that is not there is said in plain words, with its name", async () => {
  const { code, err } = await run("decode", join(folder, "absent.lst"));
  expect(code).toBe(1);
  expect(err).toMatch(/absent\.lst: there is no such file or folder\n$/);
  expect((await run("encode", folder, "--eps", "1", "--out", join(folder, "x.lst"))).err).toContain("is a folder");
});

test("a simulated device whose ring or frames cannot work is refused with what to change", async () => {
  const to = ["--to", "tcp://127.0.0.1:9", "--duration", "1"];
  for (const [option, value, remedy] of [
    ["--ring", "10", "give it more bytes"],
    ["--frame-samples", "100000", "1 to 65535 samples"],
    ["--eps", "1e-20", "give a larger eps"],
  ] as const) {
    const { code, err } = await run("sim", "rotor", ...to, option, value);
    expect(code).toBe(1);
    expect(err).toContain(remedy);
  }
});
