import { type ChildProcess, type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openSerialPort, systemClock } from "@lockstep/edge-sdk";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { requires } from "../os-package.ts";
import { TESTED_BOARDS } from "./board-list.ts";
import { CACHE_FOLDER } from "./c-host-build.ts";

const RUNNER = fileURLToPath(new URL("../../sim/qemu-wasm-runner/", import.meta.url));
const COMMAND = join(RUNNER, "bin/qemu-wasm-runner.js");
const MEAN = join(RUNNER, "examples/running-mean.wat");
const SMOOTH = join(RUNNER, "examples/smooth.c");
const CACHE = ["--cache", CACHE_FOLDER];
const WAIT = { timeout: 30_000, interval: 50 };

let folder = "";
const started: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "runner-"));
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

interface Told {
  readonly out: Buffer;
  readonly error: string;
}

function start(...args: string[]): { child: ChildProcessWithoutNullStreams; told: () => Told; code: Promise<number> } {
  const child = spawn(process.execPath, [COMMAND, ...args]);
  started.push(child);
  const [out, error]: Buffer[][] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => out?.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => error?.push(chunk));
  const told = () => ({ out: Buffer.concat(out ?? []), error: Buffer.concat(error ?? []).toString() });
  return { child, told, code: once(child, "close").then(([code]) => code) };
}

async function command(...args: string[]): Promise<Told & { code: number }> {
  const { told, code } = start(...args);
  return { code: await code, ...told() };
}

function integers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [place, value] of values.entries()) bytes.writeInt32LE(value, 4 * place);
  return bytes;
}

function file(name: string, bytes: Uint8Array): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

/** For smooth.c: two readings, and no more. */
const READINGS = Buffer.concat([Buffer.of(2), integers(100, 100), Buffer.of(0)]);
const MEANS = integers(200, 375);

for (const { board, needs } of TESTED_BOARDS.filter((one) =>
  ["host", "mps2-an386", "riscv32-virt"].includes(one.board),
)) {
  requires(...needs)(`qemu-wasm-runner on ${board}`, () => {
    test("calls a function with what a file holds, and writes what it gives", async () => {
      const [input, output] = [file("in", integers(100, 100, -1)), join(folder, "out")];
      const options = ["--board", board, "--call", "update", "--in", input, ...CACHE];
      const expected = await command("run", MEAN, "--board", "node", "--call", "update", "--in", input);
      expect(await command("run", MEAN, ...options, "--out", output)).toMatchObject({ code: 0, error: "" });
      expect(readFileSync(output)).toEqual(expected.out);
      expect(readFileSync(output).subarray(0, 8)).toEqual(MEANS);
      const told = await command("run", MEAN, ...options, "--json");
      expect(JSON.parse(told.out.toString())).toEqual({
        ...{ board, function: "update", calls: 3, outputBytes: 12 },
        outputBase64: readFileSync(output).toString("base64"),
      });
    });

    test("builds a program around a module; the file of it runs by itself, and does the same", async () => {
      const [input, output, elf] = [file("in", READINGS), join(folder, "out"), join(folder, "smooth.elf")];
      const built = ["--board", board, "--program", SMOOTH, ...CACHE];
      expect(await command("run", MEAN, ...built, "--in", input)).toEqual({ code: 0, out: MEANS, error: "" });
      expect(await command("build", MEAN, ...built, "--out", elf)).toMatchObject({ code: 0, error: "" });
      const ready = ["run", "--elf", elf, "--board", board, "--in", input];
      expect(await command(...ready, "--out", output)).toMatchObject({ code: 0, error: "" });
      expect(readFileSync(output)).toEqual(MEANS);
      expect(JSON.parse((await command(...ready, "--json")).out.toString())).toEqual({
        ...{ board, exitCode: 0, trap: null, outputBytes: 8, outputBase64: MEANS.toString("base64") },
      });
    });
  });
}

requires("gcc-arm-none-eabi", "qemu-system-arm")("qemu-wasm-runner with a program on a board", () => {
  async function build(program: string): Promise<string[]> {
    const elf = join(folder, "program.elf");
    await command("build", MEAN, "--board", "netduinoplus2", "--program", program, "--out", elf, ...CACHE);
    return ["--elf", elf, "--board", "netduinoplus2"];
  }

  test("ends with 1 where the program does not end well, or not at all, and says how", async () => {
    const trap = file("trap.c", Buffer.from('#include "board.h"\nint main(void) { board_start(); board_trap(3); }\n'));
    const support = '#include "core.h"\nvoid wasm_rt_trap(wasm_rt_trap_t reason) { board_trap((uint32_t)reason); }\n';
    writeFileSync(trap, `${readFileSync(trap)}${support}`);
    const elf = await build(trap);
    const { code, error } = await command("run", ...elf);
    expect(code).toBe(1);
    expect(error).toMatch(/^wasm runner: the program ended with 103, divide-by-zero\n/);
    expect(await command("open", ...elf)).toMatchObject({ code: 1, error: expect.stringContaining("ended with 103") });
    const late = await command("run", ...(await build(SMOOTH)), "--timeout", "1500");
    expect(late).toMatchObject({ code: 1, error: expect.stringMatching(/^wasm runner: timeout, .*afterMs 1500\n$/) });
  });

  test("open joins the UART to standard input and output, until the program ends", async () => {
    const { child, told, code } = start("open", ...(await build(SMOOTH)));
    child.stdin.write(READINGS.subarray(0, 9));
    await vi.waitFor(() => expect(told().out).toEqual(MEANS), WAIT);
    child.stdin.end(Buffer.of(0));
    expect([await code, told().error]).toEqual([0, ""]);
  });

  test("open goes on when its input is over, and ends at Ctrl-C with 0 and nothing left", async () => {
    const { child, told, code } = start("open", ...(await build(SMOOTH)));
    child.stdin.end(READINGS.subarray(0, 9));
    await vi.waitFor(() => expect(told().out).toEqual(MEANS), WAIT);
    child.kill("SIGINT");
    expect([await code, told().error]).toEqual([0, ""]);
  });

  test("open ends without a word and leaves no QEMU where nobody reads what it says any more", async () => {
    const talk =
      '#include "board.h"\nint main(void) { board_start(); for (;;) board_write((const uint8_t *)"talk", 4); }\n';
    const trap = '#include "core.h"\nvoid wasm_rt_trap(wasm_rt_trap_t reason) { board_trap((uint32_t)reason); }\n';
    const { child, told, code } = start("open", ...(await build(file("talk.c", Buffer.from(talk + trap)))));
    await once(child.stdout, "data");
    child.stdout.destroy();
    expect([await code, told().error]).toEqual([0, ""]);
  });

  test("open --socket is a serial line to one after the other, and is gone after Ctrl-C", async () => {
    const socket = join(folder, "uart");
    const { child, told, code } = start("open", ...(await build(SMOOTH)), "--socket", socket, "--json");
    await vi.waitFor(() => expect(told().out.toString()).toMatch(/\n$/), WAIT);
    const { board, pid } = JSON.parse(told().out.toString());
    expect(board).toBe("netduinoplus2");
    process.kill(pid, 0);
    const heard: Uint8Array[] = [];
    const port = await openSerialPort({ path: `unix:${socket}`, baudRate: 115_200, clock: systemClock() });
    port.on("data", (chunk) => heard.push(chunk));
    port.write(READINGS.subarray(0, 5));
    await vi.waitFor(() => expect(Buffer.concat(heard)).toEqual(integers(200)), WAIT);
    const refused = connect(socket);
    refused.on("error", () => {});
    await once(refused, "close");
    port.destroy();
    const next = await vi.waitFor(() => answering(socket, READINGS.subarray(5, 9)), WAIT);
    expect(next).toEqual(integers(375));
    child.kill("SIGINT");
    expect([await code, existsSync(socket)]).toEqual([0, false]);
  });

  test("open --socket ends with its program, though who is at the line does not hang up", async () => {
    const path = join(folder, "uart");
    const { told, code } = start("open", ...(await build(SMOOTH)), "--socket", path);
    await vi.waitFor(() => expect(told().out.toString()).toContain(`is at ${path}`), WAIT);
    const line = connect({ path, allowHalfOpen: true });
    try {
      const heard: Uint8Array[] = [];
      line.on("data", (chunk) => heard.push(chunk));
      line.on("error", () => {});
      line.write(READINGS);
      expect([await code, told().error]).toEqual([0, ""]);
      await vi.waitFor(() => expect(Buffer.concat(heard)).toEqual(MEANS), WAIT);
    } finally {
      line.destroy();
    }
  });

  test("open --socket takes over what a killed one left, and leaves alone what is in use", async () => {
    const elf = await build(SMOOTH);
    const deserted = join(folder, "deserted");
    const script = `require("node:net").createServer().listen(${JSON.stringify(deserted)}, () => process.kill(process.pid, "SIGKILL"))`;
    expect(() => execFileSync(process.execPath, ["-e", script])).toThrow();
    expect(existsSync(deserted)).toBe(true);
    const { child, told, code } = start("open", ...elf, "--socket", deserted);
    await vi.waitFor(() => expect(told().out.toString()).toContain(`is at ${deserted}`), WAIT);
    child.kill("SIGINT");
    expect(await code).toBe(0);
    const used = join(folder, "used");
    const server = createServer().listen(used);
    await once(server, "listening");
    const taken = await command("open", ...elf, "--socket", used);
    expect(taken).toMatchObject({
      code: 1,
      error: expect.stringMatching(/file-failed, path .*used, problem EADDRINUSE/),
    });
    const plain = await command("open", ...elf, "--socket", file("plain", Buffer.of()));
    expect(plain).toMatchObject({ code: 1, error: expect.stringContaining("problem EADDRINUSE") });
    await new Promise((resolve) => server.close(resolve));
    expect(readdirSync(folder)).toContain("plain");
  });

  test("a file that is no program of the board is refused in one line", async () => {
    const elf = ["--elf", file("no.elf", Buffer.from("text")), "--board", "mps2-an386"];
    for (const name of ["run", "open"]) {
      const { code, error } = await command(name, ...elf);
      expect([code, error.split("\n").length]).toEqual([1, 2]);
      expect(error).toMatch(
        /^wasm runner: wrong-firmware, file .*no\.elf, board mps2-an386, machine no ELF, want 40\n$/,
      );
    }
  });
});

/** Connect, send, and give the first four bytes that come, in one piece or more; fails where the line is still another's. */
async function answering(path: string, bytes: Uint8Array): Promise<Buffer> {
  const socket: Socket = connect(path);
  let answer = Buffer.alloc(0);
  try {
    await once(socket, "connect");
    socket.write(bytes);
    for await (const chunk of socket) {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= 4) break;
    }
    expect(answer).toHaveLength(4);
    return answer;
  } finally {
    socket.destroy();
  }
}

const ELF = ["--elf", "x.elf"];
const ON_BOARD = ["--board", "mps2-an386"];

test.for([
  [["run", ...ELF]],
  [["open", ...ELF]],
  [["run", MEAN, ...ELF, ...ON_BOARD]],
  [["run", ...ELF, "--board", "node"]],
  [["run", ...ELF, ...ON_BOARD, "--call", "update 1"]],
  [["run", ...ELF, ...ON_BOARD, "--program", SMOOTH]],
  [["run", ...ELF, ...ON_BOARD, "--optimize", "speed"]],
  [["run", ...ELF, ...ON_BOARD, "--socket", "/tmp/uart"]],
  [["run", MEAN, "--program", SMOOTH, "--call", "update 1"]],
  [["run", MEAN, "--board", "node", "--program", SMOOTH]],
  [["run", MEAN, "--include", "."]],
  [["run", MEAN, "--board", "node", "--call", "update 1", "--out", "out"]],
  [["run", MEAN, "--board", "node", "--call", "update 1", "--in", MEAN]],
  [["run", MEAN, "--board", "node", "--call", "update", "--call", "update", "--in", MEAN]],
  [["open", MEAN]],
  [["open", MEAN, "--call", "update 1"]],
  [["open", ...ELF, ...ON_BOARD, "--json"]],
  [["open", ...ELF, ...ON_BOARD, "--in", MEAN]],
  [["bench", MEAN, ...ON_BOARD, "--call", "update 1", "--in", MEAN]],
] as const)("wrong usage ends with 2 and one line: %j", async ([args]) => {
  const { code, out, error } = await command(...args);
  expect([code, out.length]).toEqual([2, 0]);
  expect(error).toMatch(/^wasm runner: usage, .*\n$/);
});

test("a file of arguments that ends within a call is refused, and one that is missing", async () => {
  const run = (input: string) => command("run", MEAN, "--board", "node", "--call", "update", "--in", input);
  const cut = await run(file("cut", Buffer.alloc(6)));
  expect([cut.code, cut.error]).toEqual([
    2,
    "wasm runner: usage, flag --in, function update, takes i32, bytesOfACall 4, given 6\n",
  ]);
  const missing = await run(join(folder, "missing"));
  expect([missing.code, missing.error]).toEqual([
    1,
    expect.stringMatching(/file-failed, path .*missing, problem ENOENT/),
  ]);
});

test("help shows an example of every command", async () => {
  const { code, out } = await command("--help");
  expect(code).toBe(0);
  for (const name of ["build", "run", "open", "bench", "doctor"]) {
    expect(out.toString()).toMatch(new RegExp(`^ {2}qemu-wasm-runner ${name} `, "m"));
  }
});
