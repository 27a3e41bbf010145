import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileDeviceModule, systemClock } from "@lockstep/edge-sdk";
import { loadScenario, runScenario } from "@lockstep/sim";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CACHE_FOLDER } from "../conformance/c-host-build.ts";
import { DEVICE_WASM } from "../conformance/raw-device.ts";
import { requires } from "../os-package.ts";
import { isRunning } from "../process-state.ts";

const LAUNCHER = fileURLToPath(new URL("../../cloud-node/bin/lockstep.js", import.meta.url));
const WAIT = { timeout: 30_000, interval: 100 };

let folder = "";
let command: ChildProcess | undefined;
const said = { out: "", error: "" };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ls-fw-"));
  Object.assign(said, { out: "", error: "" });
});

afterEach(() => {
  command?.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

function simRun(scenario: string, options: readonly string[] = [], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, [LAUNCHER, "sim", "run", scenario, ...options], {
    env: { ...process.env, TMPDIR: folder, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  command = child;
  child.stdout.on("data", (chunk: Buffer) => {
    said.out += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    said.error += chunk.toString();
  });
  return child;
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "close");
  return child.exitCode;
}

/** A scenario of one board, in a file. */
function scenarioFile(board: string, durationS: number, more = ""): string {
  const file = join(folder, "scenario.yaml");
  const device = `{ id: rotor, firmware: rotor-twin, board: ${board}, rateHz: 200, noise: { everyBytes: 2000 } }`;
  const head = `name: board\nabout: one board\nseed: 4\ndurationS: ${durationS}\nsettleS: 60\n`;
  writeFileSync(file, `${head}devices:\n  - ${device}\n${more}`);
  return file;
}

/** Process ids of the QEMUs that a process has started. */
function emulatorsOf(parent: number): number[] {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8").trim().split(" ").map(Number);
  return children.filter((pid) => pid > 0 && readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("qemu"));
}

const ARM = ["gcc-arm-none-eabi", "qemu-system-arm"];

requires(
  ...ARM,
  "gcc-riscv64-unknown-elf",
  "qemu-system-riscv32",
)("lockstep sim run firmware-rotor", () => {
  test("holds what it promises, with QEMU killed, a line cut and the node killed, and leaves nothing", async () => {
    expect(await exitCode(simRun("firmware-rotor", ["--json"])), said.error).toBe(0);
    const { held, checks, devices } = JSON.parse(said.out);
    expect(checks.filter((check: { held: boolean }) => !check.held)).toEqual([]);
    expect(held).toBe(true);
    expect(devices).toMatchObject([
      { id: "rotor-m4", boots: 3, lostConfirmed: 0, hasSettled: true },
      { id: "rotor-rv32", boots: 3, lostConfirmed: 0, unsaved: 0, hasSettled: true },
    ]);
    for (const { stored, confirmed, maxErrorOverEps } of devices) {
      expect(stored).toBeGreaterThanOrEqual(confirmed);
      expect(confirmed).toBeGreaterThan(300);
      expect(maxErrorOverEps).toBeGreaterThan(0.5);
    }
    expect(readdirSync(folder)).toEqual([]);
  });
});

requires(...ARM)("lockstep sim run, with a board in the scenario", () => {
  test.for(["netduinoplus2", "cortex-m0"])("%s delivers what its firmware computes", async (board) => {
    const child = simRun(scenarioFile(board, 4, "expect: { minStored: 0.5 }\n"), ["--json"]);
    expect(await exitCode(child), said.error).toBe(0);
    expect(JSON.parse(said.out).devices).toMatchObject([{ boots: 1, channels: 6, hasSettled: true }]);
  });

  test("says what is broken where the ring went with the power, and ends with 1", async () => {
    // What is sent to a line that is cut goes with the power.
    const link = "{ do: cut-link, device: rotor, atS: 1, forS: 3.5 }";
    const power = "{ do: cut-power, device: rotor, atS: 4, forS: 1 }";
    const cut = `events: [${link}, ${power}]\nexpect: { minStored: 1 }\n`;
    expect(await exitCode(simRun(scenarioFile("mps2-an386", 6, cut)))).toBe(1);
    expect(said.out).toMatch(/^held {4}confirmed samples lost: 0 /m);
    expect(said.out).toMatch(/^BROKEN {2}part of the samples stored: 0\.\d+ \(at least 1\)$/m);
    expect(said.error).toMatch(/lockstep: board did not hold: part of the samples stored: 0\.\d+\n$/);
  });

  test.skipIf(process.platform !== "linux")("says that QEMU ended where nobody had cut its power", async () => {
    const child = simRun(scenarioFile("mps2-an386", 6));
    await vi.waitFor(() => expect(said.error).toContain("1 device on"), WAIT);
    const [emulator = 0] = emulatorsOf(child.pid ?? 0);
    process.kill(emulator, "SIGKILL");
    expect(await exitCode(child)).toBe(1);
    expect(said.out).toMatch(/^BROKEN {2}device rotor runs: QEMU ended by SIGKILL \(no error\)$/m);
  });

  test.skipIf(process.platform !== "linux")(
    "starts no QEMU once it has failed, not even one that was due",
    async () => {
      const events = ["do: kill-node, atS: 0.2, forS: 0.2", "do: cut-power, device: rotor, atS: 0.1, forS: 1"];
      const scenario = loadScenario(scenarioFile("mps2-an386", 2, `events: [{ ${events.join(" }, { ")} }]\n`));
      const told: string[] = [];
      let starts = 0;
      const start = async () => {
        starts += 1;
        if (starts > 1) throw new RangeError("the node does not come back");
      };
      const node = { start, kill: async () => {}, stop: async () => {}, read: async () => undefined };
      const ran = runScenario(scenario, {
        node: { ...node, endpoint: () => ({ url: "mqtt://127.0.0.1:1", group: "none" }) },
        module: compileDeviceModule(readFileSync(DEVICE_WASM)),
        clock: systemClock(),
        folder,
        cacheFolder: CACHE_FOLDER,
        onProgress: ({ text }) => told.push(text),
      });
      await expect(ran).rejects.toThrow("does not come back");
      await vi.waitFor(() => expect(told).toContain("rotor is back"), WAIT);
      expect(emulatorsOf(process.pid)).toEqual([]);
    },
  );

  test.skipIf(process.platform !== "linux")("ends QEMU at Ctrl-C, and leaves no file", async () => {
    const file = scenarioFile("mps2-an386", 300);
    const child = simRun(file);
    await vi.waitFor(() => expect(said.error).toContain("1 device on"), WAIT);
    const [emulator = 0] = emulatorsOf(child.pid ?? 0);
    expect(isRunning(emulator)).toBe(true);
    child.kill("SIGINT");
    expect(await exitCode(child)).toBe(1);
    expect(said.error).toMatch(/lockstep: stopped; nothing was checked\n$/);
    await vi.waitFor(() => expect(isRunning(emulator)).toBe(false), WAIT);
    rmSync(file);
    expect(readdirSync(folder)).toEqual([]);
  });
});

test("lockstep sim run says in one line what installs a compiler and QEMU that are missing", async () => {
  const child = simRun(scenarioFile("mps2-an386", 4), ["--json"], { PATH: folder });
  expect(await exitCode(child)).toBe(1);
  expect(said.out).toBe("");
  const [last = ""] = said.error.trimEnd().split("\n").slice(-1);
  expect(last).toMatch(/^lockstep: firmware: the board mps2-an386 needs .*apt-get install -y .*qemu-system-arm$/);
});
