import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BoardName, bench, build, compileModuleText, type Firmware, open, openPort, run } from "qemu-wasm-runner";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { requires } from "../os-package.ts";
import { isRunning } from "../process-state.ts";
import { CACHE_FOLDER } from "./c-host-build.ts";
import { compileWat } from "./wat-module.ts";

const FEATURES = await compileWat("every-feature.wat");
const ENDLESS = await compileModuleText("endless", `(module (func (export "endless") (loop (br 0))))`);
const RUNNER = fileURLToPath(new URL("../../sim/qemu-wasm-runner/", import.meta.url));
const OWN_PROGRAM = fileURLToPath(new URL("board-program.c", import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), "runs-"));
/** What is to happen after a kill happens at once; a loaded machine may take long. */
const KILLED = { timeout: 30_000, interval: 100 };
const WAIT = { timeout: 20_000, interval: 50 };

afterAll(() => rmSync(FOLDER, { recursive: true }));

requires("gcc-arm-none-eabi", "qemu-system-arm")("a run under QEMU", () => {
  let firmware: Firmware;
  beforeAll(async () => {
    const program = { sources: [OWN_PROGRAM] };
    firmware = await buildFor("mps2-an386", { memoryBytes: 256, program });
  }, 60_000);
  const parent = process.env.TMPDIR;
  afterEach(() => {
    if (parent === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = parent;
  });

  test("a program that does not end is ended after its time, and leaves no file", async () => {
    process.env.TMPDIR = freshFolder("late");
    await expect(run(firmware, { timeoutMs: 500 })).rejects.toMatchObject({ code: "timeout", facts: { afterMs: 500 } });
    expect(readdirSync(process.env.TMPDIR)).toEqual([]);
  });

  test("a call that does not end is given up, and the machine with it", async () => {
    process.env.TMPDIR = freshFolder("endless");
    const machine = await open(await build(ENDLESS, { board: "mps2-an386", cacheFolder: CACHE_FOLDER }), {
      timeoutMs: 500,
    });
    const late = { code: "timeout", facts: { function: "endless", afterMs: 500 } };
    await expect(machine.call("endless")).rejects.toMatchObject(late);
    expect(readdirSync(process.env.TMPDIR)).toEqual([]);
    const ended = { code: "ended", facts: { function: "endless", signal: "SIGKILL" } };
    await expect(machine.call("endless")).rejects.toMatchObject(ended);
  });

  test("a file of another processor, or none at all, is refused before QEMU starts", async () => {
    const riscv = join(FOLDER, "riscv");
    const header = Buffer.alloc(64);
    header.writeUInt32BE(0x7f454c46);
    header.writeUInt16LE(243, 18);
    writeFileSync(riscv, header);
    const wrong = { code: "wrong-firmware", facts: { machine: 243, want: 40 } };
    await expect(run({ ...firmware, file: riscv })).rejects.toMatchObject(wrong);
    writeFileSync(riscv, "no program");
    const none = { code: "wrong-firmware", facts: { machine: "no ELF" } };
    await expect(run({ ...firmware, file: riscv })).rejects.toMatchObject(none);
    await expect(run({ ...firmware, file: join(FOLDER, "missing") })).rejects.toMatchObject({ code: "wrong-firmware" });
  });

  test("what QEMU says comes with the failure of a program that it cannot run", async () => {
    const broken = join(FOLDER, "broken");
    const header = readFileSync(firmware.file ?? "").subarray(0, 64);
    header.writeUInt32LE(0xffff_ff00, 28); // its program headers lie outside it
    writeFileSync(broken, header);
    process.env.TMPDIR = freshFolder("unloadable");
    const failed = run({ ...firmware, file: broken });
    await expect(failed).rejects.toMatchObject({
      code: "emulator-failed",
      facts: { said: expect.stringMatching(/^qemu: fatal: Lockup/) },
    });
    expect(readdirSync(process.env.TMPDIR)).toEqual([]);
  });

  test("a temporary folder whose name leaves no room for a socket is refused, with the limit", async () => {
    process.env.TMPDIR = freshFolder("x".repeat(120));
    await expect(run(firmware)).rejects.toMatchObject({ code: "socket-path-too-long", facts: { most: 107 } });
    expect(readdirSync(process.env.TMPDIR)).toEqual([]);
  });

  test("without QEMU on the path it says what to install", async () => {
    const path = process.env.PATH;
    process.env.PATH = FOLDER;
    try {
      const missing = {
        code: "missing-tool",
        facts: { tool: "qemu-system-arm", install: expect.stringMatching(/^apt-get /) },
      };
      await expect(run(firmware)).rejects.toMatchObject(missing);
    } finally {
      process.env.PATH = path;
    }
  });

  test.skipIf(process.platform !== "linux").for(["SIGINT", "SIGTERM"] as const)(
    "%s to the command ends QEMU with it, and leaves no file",
    async (signal) => {
      const folder = freshFolder(signal);
      const module = join(FOLDER, "endless.wasm");
      writeFileSync(module, ENDLESS);
      await buildEndless();
      const args = ["run", module, "--board", "mps2-an386", "--call", "endless", "--cache", CACHE_FOLDER];
      const command = spawn(process.execPath, [join(RUNNER, "bin/qemu-wasm-runner.js"), ...args], {
        env: { ...process.env, TMPDIR: folder },
      });
      const ended = once(command, "close");
      const emulator = await vi.waitFor(() => emulatorOf(command.pid ?? 0), WAIT);
      expect(readdirSync(folder)).toHaveLength(1);
      command.kill(signal);
      expect((await ended)[1]).toBe(signal);
      await vi.waitFor(() => expect(isRunning(emulator)).toBe(false), WAIT);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  test.skipIf(process.platform !== "linux")(
    "a Node that exits in the middle ends QEMU, and leaves no file",
    async () => {
      const folder = freshFolder("exits");
      const script = `
      const { openPort } = await import(${JSON.stringify(import.meta.resolve("qemu-wasm-runner"))});
      const port = await openPort(JSON.parse(process.argv[1]));
      process.stdout.write(String(port.port.link.pid), () => process.exit(3));`;
      const { board, moduleId, file } = firmware;
      const args = ["--input-type=module", "-e", script, JSON.stringify({ board, moduleId, file })];
      const node = spawn(process.execPath, args, { env: { ...process.env, TMPDIR: folder } });
      let told = "";
      node.stdout.on("data", (chunk: Buffer) => {
        told += chunk.toString();
      });
      expect((await once(node, "close"))[0]).toBe(3);
      expect(Number(told)).toBeGreaterThan(0);
      await vi.waitFor(() => expect(isRunning(Number(told))).toBe(false), WAIT);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  test.skipIf(process.platform !== "linux")(
    "SIGKILL to the command ends QEMU all the same, and leaves no file",
    async () => {
      const folder = freshFolder("SIGKILL");
      const module = join(FOLDER, "killed.wasm");
      writeFileSync(module, ENDLESS);
      await buildEndless();
      const args = ["run", module, "--board", "mps2-an386", "--call", "endless", "--cache", CACHE_FOLDER];
      const command = spawn(process.execPath, [join(RUNNER, "bin/qemu-wasm-runner.js"), ...args], {
        env: { ...process.env, TMPDIR: folder },
      });
      const emulator = await vi.waitFor(() => emulatorOf(command.pid ?? 0), WAIT);
      expect(readdirSync(folder)).toHaveLength(1);
      command.kill("SIGKILL");
      await vi.waitFor(() => expect(isRunning(emulator)).toBe(false), KILLED);
      await vi.waitFor(() => expect(readdirSync(folder)).toEqual([]), KILLED);
    },
    90_000,
  );

  test("the command bench ends with 1 when a budget is exceeded, and with 0 when none is", async () => {
    const example = join(RUNNER, "examples/running-mean.wat");
    const told: string[] = [];
    const bench = (...flags: string[]) => {
      const args = [
        "bench",
        example,
        "--board",
        "mps2-an386",
        "--call",
        "update 100",
        "--cache",
        CACHE_FOLDER,
        ...flags,
      ];
      const command = spawn(process.execPath, [join(RUNNER, "bin/qemu-wasm-runner.js"), ...args]);
      command.stdout.on("data", (chunk: Buffer) => told.push(chunk.toString()));
      return once(command, "close").then(([code]) => code);
    };
    expect(await bench("--max-insns", "3", "--json")).toBe(1);
    const report = JSON.parse(told.splice(0).join(""));
    expect(report).toMatchObject({ board: "mps2-an386", isKept: false, calls: [{ function: "update" }] });
    expect(await bench("--max-insns", String(report.instructionsMax), "--max-flash", "10000")).toBe(0);
    expect(told.join("")).toMatch(/instructions, most of a call\s+\d+\s+of \d+: kept\n/);
  });

  test("a port speaks with the firmware, is lost when that ends, and can be opened anew", async () => {
    const port = await openPort(firmware);
    const received: Buffer[] = [];
    port.on("data", (chunk: Buffer) => received.push(chunk));
    const text = () => Buffer.concat(received).toString();
    await new Promise((resolve) => port.write("eaeb", () => port.drain(resolve)));
    await vi.waitFor(() => expect(text()).toBe("ab"), WAIT);
    port.write("x");
    const [lost] = await once(port, "close");
    expect(lost).toMatchObject({ disconnected: true });
    expect(await port.port?.link.ended).toMatchObject({ exitCode: 7 });

    port.open();
    await once(port, "open");
    port.write("ec");
    await vi.waitFor(() => expect(text()).toBe("abc"), WAIT);
    process.kill(port.port?.link.pid ?? 0, "SIGKILL");
    expect((await once(port, "close"))[0]).toMatchObject({ disconnected: true });

    port.open();
    await once(port, "open");
    port.close();
    expect((await once(port, "close"))[0]).toBeNull();
  });

  test("bench says what a module takes, and which budget it exceeds", async () => {
    const calls = [
      { function: "add", args: [2, 40] },
      { function: "divide", args: [100n, 3n] },
    ];
    const options = { board: "mps2-an386", cacheFolder: CACHE_FOLDER, memoryBytes: 256, calls } as const;
    const report = await bench(FEATURES, { ...options, budgets: { flashBytes: 10_000, instructions: 10 } });
    expect(report.calls.map((call) => call.function)).toEqual(["add", "divide"]);
    expect(report.instructionsMax).toBe(report.calls[1]?.instructions);
    expect(report.instructionsMean).toBeLessThan(report.instructionsMax);
    expect(report.cyclesMax).toBeGreaterThan(report.instructionsMax);
    expect(report.ramBytes).toBeGreaterThan(256 + report.stackBytes);
    expect(report.isKept).toBe(false);
    expect(report.budgets.filter(({ isKept }) => !isKept)).toEqual([
      { name: "instructions", value: report.instructionsMax, limit: 10, isKept: false },
    ]);
    expect(report.budgets[0]).toEqual({ name: "flashBytes", value: report.flashBytes, limit: 10_000, isKept: true });
  });

  test("bench of a board that cannot count, or of no call, is refused", async () => {
    const options = { cacheFolder: CACHE_FOLDER, calls: [] };
    await expect(bench(FEATURES, { ...options, board: "node" })).rejects.toMatchObject({ code: "not-counting" });
    const small = { ...options, board: "mps2-an386", memoryBytes: 256 } as const;
    await expect(bench(FEATURES, small)).rejects.toMatchObject({ code: "wrong-arguments" });
  });
});

function buildFor(board: BoardName, options: Partial<Parameters<typeof build>[1]> = {}): Promise<Firmware> {
  return build(FEATURES, { board, cacheFolder: CACHE_FOLDER, ...options });
}

function buildEndless(): Promise<Firmware> {
  return build(ENDLESS, { board: "mps2-an386", cacheFolder: CACHE_FOLDER });
}

function freshFolder(name: string): string {
  const folder = join(FOLDER, name);
  mkdirSync(folder);
  return folder;
}

/** The process id of the QEMU that a process has started. @throws while there is none */
function emulatorOf(parent: number): number {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8").trim().split(" ").map(Number);
  const found = children.find((child) => child > 0 && readFileSync(`/proc/${child}/comm`, "utf8").startsWith("qemu"));
  expect(found).toBeDefined();
  return found ?? 0;
}
