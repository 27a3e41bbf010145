import { mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
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
  [["serve", "--ack-age", "30001"], "0 to 30000: a device takes a node that says nothing for a minute for gone"],
  [["sim", "rotor", "--id", "a/b"], "letters, digits"],
  [["encode", "x", "--out", "y"], "give one of them"],
  [["sim"], "subcommand"],
  [["sim", "rotor"], "--to mqtt://"],
  [["sim", "rotor", "--to", "nowhere"], "write mqtt://"],
  [["sim", "rotor", "--lookahead", "far"], "invalid: allowed are none, greedy, programme; see"],
  [["sim", "rotor", "--profile", "tiny"], "invalid: allowed are full, lite; see"],
  [["sim", "rotor", "--to", "tcp://x:1", "--profile", "lite", "--lookahead", "greedy"], "leave one of them out"],
  [["sim", "run", "power-cut", "--lookahead", "far"], "invalid: allowed are none, greedy, programme; see"],
  [["encode", "x", "--lookahead", "far"], "invalid: allowed are none, greedy, programme; see"],
  [["sim", "run", "no-such-scenario"], "lossy-uplink"],
  [["demo", "--duration", "-1"], "a number > 0"],
  [["serve", "--broker", "foreign"], "write embedded, or mqtt://"],
  [["serve", "--republish", "xml"], "write json, sparkplug, or json,sparkplug"],
  [["serve", "--republish-to", "mqtt://elsewhere"], "add --republish json, or --republish sparkplug"],
  [["serve", "--republish", "json", "--republish-to", "http://elsewhere"], "write mqtts://USER@HOST:PORT"],
  [
    ["serve", "--republish", "json", "--republish-to", "mqtt://me:secret@elsewhere"],
    "a file for --republish-password-file",
  ],
  [["serve", "--republish", "json", "--republish-ca", "ca.pem"], "add --republish-to"],
  [["serve", "--republish", "json", "--republish-topic", "values"], "lockstep/{group}/{device}"],
  [["serve", "--republish", "json", "--republish-topic", "ls/v1/{device}"], "lockstep/{group}/{device}"],
  [["serve", "--republish", "json", "--republish-topic", "values/{device}/#"], "lockstep/{group}/{device}"],
  [["serve", "--republish", "sparkplug", "--sparkplug-node", "a/b"], "without / + #"],
  [["serve", "--republish", "sparkplug", "--republish-every", "-1"], "a number ≥ 0"],
  [["serve", "--serial", "/dev/ttyUSB0,fast"], "/dev/ttyUSB0,9600"],
  [["serve", "--serial", ""], "/dev/ttyUSB0,9600"],
  [["serve", "--serial", "/dev/x,0x2580"], "50 to 4000000"],
  [["serve", "--serial", "/dev/x,1e4"], "50 to 4000000"],
  [["serve", "--serial", "/dev/x,9600.0"], "50 to 4000000"],
  [["serve", "--serial", "/dev/x, 9600"], "50 to 4000000"],
  [["serve", "--serial", "/dev/x,"], "50 to 4000000"],
  [["serve", "--serial", "/dev/x,49"], "50 to 4000000"],
  [["serve", "--serial", "/dev/x,4000001"], "50 to 4000000"],
  [["serve", "--serial", "/dev/x", "--serial", "/dev/x,9600"], "/dev/x is given twice"],
  [["sim", "rotor", "--to", "serial:/dev/x?baud=0"], "serial:PATH?baud=RATE"],
  [["sim", "rotor", "--to", "serial:/dev/x?baud=49"], "serial:PATH?baud=RATE"],
  [["sim", "rotor", "--to", "serial:/dev/x?baud=100000000"], "serial:PATH?baud=RATE"],
  [["sim", "fleet", "--to", "serial:/dev/x", "--count", "2"], "give --count 1"],
  [["serve", "--no-jobs", "--job-threads", "1"], "leave --no-jobs out"],
  [["serve", "--jobs", "redis://x"], "write sqlite:FILE"],
  [["worker", "--jobs", "http://localhost:8080"], "write sqlite:FILE"],
  [["jobs", "list", "--queue", "nat://user:pa/ss@w:rd@host:4222"], '"nat://…@host:4222" is no queue of jobs'],
  [["worker", "--threads", "0"], "a whole number"],
  [["worker", "--memory", "8"], "a whole number ≥ 16"],
  [["jobs"], "subcommand"],
  [["jobs", "submit", "telemetry", "--salt", "a b"], "up to 64 letters"],
  [["jobs", "submit", "telemetry", "--salt", "seat-1"], "not seat- at the beginning"],
  [["jobs", "submit", "telemetry", "--attempts", "101"], "from 1 to 100"],
  [["jobs", "submit", "telemetry", "--input", "x"], "write NAME=PATH"],
  [["jobs", "list", "--limit", "1001"], "from 1 to 1000"],
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

test("an output that cannot be written is named as it was given, not by its partial file", async () => {
  const input = join(folder, "in.csv");
  await writeFile(input, "x\n1\n2\n");
  const container = join(folder, "in.lst");
  expect((await run("encode", input, "--eps", "1", "--out", container)).code).toBe(0);
  const noFolder = join(folder, "absent", "out.x");
  const tooLong = join(folder, "x".repeat(256));
  for (const [out, problem] of [
    [noFolder, `there is no folder ${join(folder, "absent")}: make it first`],
    [tooLong, "name too long"],
  ] as const) {
    for (const command of [
      ["encode", input, "--eps", "1"],
      ["decode", container],
    ]) {
      const { code, err } = await run(...command, "--out", out);
      expect(code).toBe(1);
      expect(err).toContain(out);
      expect(err).toContain(problem);
      expect(err).not.toContain(".part");
    }
  }
  expect((await readdir(folder)).filter((name) => name.endsWith(".part"))).toEqual([]);
});

test("an output may have a name as long as files may have, in any script", async () => {
  const input = join(folder, "in.csv");
  await writeFile(input, "x\n1\n2\n");
  for (const name of ["x".repeat(255), `${"\u{1f697}".repeat(63)}.st`]) {
    expect(Buffer.byteLength(name)).toBe(255);
    const out = join(folder, name);
    for (const command of [
      ["encode", input, "--eps", "1"],
      ["decode", join(folder, "in.lst")],
    ]) {
      if (command[0] === "decode") await rename(out, join(folder, "in.lst"));
      const { code, err } = await run(...command, "--out", out);
      expect(code, err).toBe(0);
    }
    await rm(out);
  }
});

/** A container of 5,000 samples in several blocks, and its bytes. */
async function container(name: string): Promise<Buffer> {
  const rows = Array.from({ length: 5000 }, (_, row) => ((row * row * 7919) % 100_003) / 100);
  const input = join(folder, `${name}.csv`);
  await writeFile(input, `x\n${rows.join("\n")}\n`);
  expect((await run("encode", input, "--eps", "0.01", "--out", join(folder, `${name}.lst`))).code).toBe(0);
  return readFile(join(folder, `${name}.lst`));
}

test("a container cut inside its end record gives all samples and says so", async () => {
  const whole = await container("cut");
  const cut = join(folder, "cut-end.lst");
  for (const lost of [1, 30, 50, 52]) {
    await writeFile(cut, whole.subarray(0, whole.length - lost));
    const { code, err } = await run("decode", cut, "--out", join(folder, "cut-end.csv"));
    expect(code).toBe(1);
    expect((await readFile(join(folder, "cut-end.csv"), "utf8")).trimEnd().split("\n")).toHaveLength(5001);
    expect(err).toMatch(/cut-end\.lst ends inside its end record at byte \d+: .*; all 5000 samples are there\n$/);
  }
});

test("a container with bytes after its end gives all samples and says so", async () => {
  const long = join(folder, "long.lst");
  const kept = join(folder, "long.csv");
  await writeFile(long, Buffer.concat([await container("end"), Buffer.of(0)]));
  const { code, err } = await run("decode", long, "--out", kept);
  expect(code).toBe(1);
  expect(err).toContain("all 5000 samples are good");
  expect((await readFile(kept, "utf8")).trimEnd().split("\n")).toHaveLength(5001);
});

test("a file of at most eight bytes is called too short", async () => {
  for (const bytes of ["", "a", "12345678"]) {
    await writeFile(join(folder, "short.lst"), bytes);
    const { code, err } = await run("decode", join(folder, "short.lst"));
    expect(code).toBe(1);
    expect(err).toContain("is empty or too short to be a container");
  }
});

test("with --json a damaged container is one object that says how much came back and what is wrong", async () => {
  const whole = await container("json");
  const damaged = join(folder, "json-damaged.lst");
  await writeFile(damaged, whole.subarray(0, whole.length - 1000));
  const { code, out, err } = await run("decode", damaged, "--json");
  expect(code).toBe(1);
  expect(out.trimEnd().split("\n")).toHaveLength(1);
  const told = JSON.parse(out);
  expect(told).toMatchObject({ input: damaged, error: { code: "truncated", lastSample: told.samples - 1 } });
  expect(told.samples).toBeGreaterThan(1000);
  expect(told.error.message).toContain("the last good sample");
  expect(err).toContain(told.error.message);
});

test.each([
  ["t,x\n0,1\n1,2\n2,3\n", "3 samples of 1 channel and their times"],
  ["t,x,y\n0.5,1,1\n", "1 sample of 2 channels and its time"],
  ["t,x\n0,1\n0.07,2\n2,3\n", "3 samples of 1 channel and their times"],
  ["x\n1\n", "1 sample of 1 channel"],
])("encode and decode count the same, one as one, and times apart: %j", async (text, size) => {
  const [input, coded] = [join(folder, "counted.csv"), join(folder, "counted.lst")];
  await writeFile(input, text);
  expect((await run("encode", input, "--eps", "0.5", "--out", coded)).out).toContain(`; ${size} in `);
  const out = join(folder, "counted.out.csv");
  expect((await run("decode", coded, "--out", out)).err).toContain(`${out}: ${size}\n`);
  const columns =
    text
      .split("\n", 1)[0]
      ?.split(",")
      .filter((name) => name !== "t") ?? [];
  const { channels, timeEps } = JSON.parse((await run("decode", coded, "--json")).out);
  expect(channels.map(({ name }: { name: string }) => name)).toEqual(columns);
  expect(timeEps).toBe(text.startsWith("t") ? 0 : null);
});

test("a recording that grew is said to be larger", async () => {
  const input = join(folder, "tiny.csv");
  await writeFile(input, "x\n1\n");
  const { out } = await run("encode", input, "--eps", "1", "--out", join(folder, "tiny.lst"));
  expect(out).toMatch(/ \d+\.?\d*× larger than float32;/);
  expect(out).not.toContain("smaller");
});

test.each(["encode", "decode", "explain"])("the help of %s fits a terminal of 80 columns", async (command) => {
  const lines = (await run(command, "--help")).out.split("\n");
  expect(lines.length).toBeGreaterThan(15);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});

test("a lookahead that there is none of is refused with the choices", async () => {
  for (const command of [
    ["encode", "missing.csv", "--rel", "0.01"],
    ["sim", "rotor"],
    ["sim", "fleet"],
    ["sim", "recorded", "imu"],
    ["sim", "run", "lossy-uplink"],
  ]) {
    const { code, err } = await run(...command, "--lookahead", "bogus");
    expect(code, command.join(" ")).toBe(2);
    expect(err).toContain("bogus");
    expect(err).toContain("none, greedy, programme");
  }
});

/** Run `lockstep serve` on one serial port until it listens, or fails. */
async function serveOn(serial: string): Promise<{ code: number; out: string; err: string }> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const interrupt = new AbortController();
  let out = "";
  stdout.on("data", (text) => {
    out += text;
    interrupt.abort();
  });
  const options = ["--mqtt-port", "0", "--no-http", "--log", "silent", "--store", join(folder, "serial.db")];
  const code = await runCommandLine({
    ...{ args: ["serve", ...options, "--serial", serial, "--json"], env: {}, stdin, stdout, stderr },
    ...{ clock: systemClock(), random: systemRandom(), interrupt: interrupt.signal },
  });
  return { code, out, err: String(stderr.read() ?? "") };
}

test("what is there and is no serial port is refused when the node starts; what is not there is waited for", async () => {
  const file = join(folder, "file.txt");
  await writeFile(file, "no port");
  for (const path of [folder, file, "/dev/null"]) {
    const { code, out, err } = await serveOn(path);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(`--serial "${path}" is no serial port: give the path of one`);
  }
  const absent = join(folder, "ttyLATER");
  for (const [text, baud] of [
    [absent, 115_200],
    [`${absent},50`, 50],
    [`${absent},4000000`, 4_000_000],
  ] as const) {
    const { code, out } = await serveOn(text);
    expect(code).toBe(0);
    expect(JSON.parse(out).serial).toEqual([{ path: absent, baud }]);
  }
});

test("a serial port that is not there is named at once, and again when nothing was confirmed", async () => {
  const port = join(folder, "ttyNOPE");
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const interrupt = new AbortController();
  let err = "";
  stderr.on("data", (text) => {
    err += text;
    // It is waiting by now, and Ctrl-C gives it up.
    if (err.includes("to be confirmed")) interrupt.abort();
  });
  const code = await runCommandLine({
    ...{ args: ["sim", "rotor", "--to", `serial:${port}`, "--duration", "0.1"], env: {}, stdin, stdout, stderr },
    ...{ clock: systemClock(), random: systemRandom(), interrupt: interrupt.signal },
  });
  expect(code).toBe(1);
  const lines = err.trimEnd().split("\n");
  const named = lines.findIndex((line) => line.includes(`rotor-1: transport: there is no ${port}`));
  expect(named).toBeGreaterThanOrEqual(0);
  expect(named).toBeLessThan(lines.findIndex((line) => line.includes("to be confirmed")));
  expect(lines.at(-1)).toMatch(/^lockstep: \d+ samples were not confirmed: transport: there is no /);
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
