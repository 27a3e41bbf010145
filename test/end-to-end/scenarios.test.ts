import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileDeviceModule, compileGatewayModule, systemClock } from "@lockstep/edge-sdk";
import { loadScenario, parseScenario, runScenario, type Scenario, type ScenarioReport } from "@lockstep/sim";
import { describe, expect, test, vi } from "vitest";
import { CACHE_FOLDER } from "../conformance/c-host-build.ts";
import { isRunning } from "../process-state.ts";
import { ServedNode } from "./served-node.ts";

const require = createRequire(import.meta.url);
const wasm = (name: string) => readFileSync(require.resolve(`@lockstep/edge-sdk/${name}.wasm`));
const module = compileDeviceModule(wasm("device"));
const gateway = compileGatewayModule(wasm("gateway"), wasm("device"));

async function run(scenario: Scenario): Promise<ScenarioReport> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-scenario-"));
  const node = new ServedNode(folder);
  try {
    return await runScenario(scenario, {
      node,
      module,
      gateway,
      clock: systemClock(),
      folder,
      cacheFolder: CACHE_FOLDER,
    });
  } finally {
    node.close();
    rmSync(folder, { recursive: true });
  }
}

function failures({ checks }: ScenarioReport): string[] {
  return checks.filter(({ held }) => !held).map(({ name, found, expected }) => `${name}: ${found}, not ${expected}`);
}

describe.concurrent("what a scenario promises holds", () => {
  test.for(["lossy-uplink", "power-cut", "long-offline"])("%s", async (name) => {
    const report = await run(loadScenario(name));
    expect(failures(report)).toEqual([]);
    expect(report.checks.length).toBeGreaterThanOrEqual(5);
    expect(report.devices.every(({ stored }) => stored > 100)).toBe(true);
  });
});

test("thousand-devices", async () => {
  const report = await run(loadScenario("thousand-devices"));
  expect(failures(report)).toEqual([]);
  expect(report.devices.length).toBe(1000);
});

test("a device that looks ahead sends less of the same signal, and all of it holds", async () => {
  const text = (lookahead: string) => `
name: ahead
about: the same steps, with and without a lookahead
seed: 1
durationS: 3
devices:
  - { id: g, signal: { name: steps, channels: 3 }, eps: { rel: 0.01 }, frameSamples: 100, lookahead: ${lookahead} }
`;
  const reports = await Promise.all(
    ["none", "programme"].map((lookahead) => run(parseScenario(text(lookahead), "ahead.yaml"))),
  );
  expect(reports.flatMap(failures)).toEqual([]);
  const [none, programme] = reports.map(({ devices: [device] }) => device);
  expect([none?.lookahead, programme?.lookahead]).toEqual(["none", "programme"]);
  const perSample = (device: typeof none) => (device?.payloadBytes ?? 0) / (device?.samples ?? 1);
  expect(perSample(programme)).toBeLessThan(perSample(none));
});

test("a scenario whose promise is broken says so", async () => {
  const text = `
name: too-good
about: a device that cannot be a thousand times smaller
seed: 1
durationS: 1
devices: [{ id: noise, signal: { name: rotor, sigma: 1 }, eps: { abs: 0.001 }, frameSamples: 10 }]
expect: { minRatioPayload: 1000 }
`;
  const report = await run(parseScenario(text, "too-good.yaml"));
  expect(report.held).toBe(false);
  expect(failures(report)).toEqual([expect.stringMatching(/^payload ratio: \d/)]);
});

test.skipIf(process.platform !== "linux")("SIGKILL to lockstep sim run leaves no node behind", async () => {
  const launcher = fileURLToPath(new URL("../../cloud-node/bin/lockstep.js", import.meta.url));
  const args = [launcher, "sim", "run", "long-offline"];
  const run = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  run.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const patience = { timeout: 60_000, interval: 50 };
  try {
    await vi.waitFor(() => expect(said).toMatch(/devices? on\n/), patience);
    const children = readFileSync(`/proc/${run.pid}/task/${run.pid}/children`, "utf8").trim().split(" ").map(Number);
    expect(children.filter(isRunning).length).toBeGreaterThan(0);
    run.kill("SIGKILL");
    await vi.waitFor(() => expect(children.filter(isRunning)).toEqual([]), patience);
  } finally {
    run.kill("SIGKILL");
  }
});
