import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openHistory } from "@lockstep/cloud-node";
import {
  compileDeviceModule,
  DeviceSession,
  openSerialPort,
  planChannel,
  serialTransport,
  systemClock,
  systemRandom,
} from "@lockstep/edge-sdk";
import { seededRandom } from "@lockstep/sim";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildDeviceProgram } from "../conformance/c-host-build.ts";
import {
  LINUX_HOST_E,
  LINUX_HOST_INCLUDES,
  LINUX_HOST_SOURCES,
  linuxHostWave,
} from "../conformance/linux-host-example.ts";
import { requires } from "../os-package.ts";
import { LockstepProcess } from "./lockstep-process.ts";
import { PseudoLine } from "./pseudo-line.ts";

const SEED = 5;
const EPS = 0.01;
const PERIOD_US = 2_000;
const START_US = 1_700_000_000_000_000;
const FRAME_SAMPLES = 25;
/** Acks come often, so that a device soon misses them. */
const ACKS = ["--ack-every", "4", "--ack-age", "100"];
const DRAIN_MS = 40_000;

const MODULE = compileDeviceModule(
  new Uint8Array(readFileSync(fileURLToPath(import.meta.resolve("@lockstep/edge-sdk/device.wasm")))),
);
const clock = systemClock();
const random = systemRandom();
const noise = seededRandom(SEED);

let folder = "";
let line: PseudoLine;
let node: LockstepProcess | undefined;
let session: DeviceSession | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-serial-"));
  line = new PseudoLine(folder);
  await line.plugIn();
});

afterEach(async () => {
  await session?.destroy();
  session = undefined;
  node?.child.kill("SIGKILL");
  await node?.finished();
  node = undefined;
  await line.unplug();
  rmSync(folder, { recursive: true });
});

function serve(): LockstepProcess {
  const options = ["--no-http", "--mqtt-port", "0", "--store", join(folder, "node.db"), ...ACKS];
  node = new LockstepProcess("serve", ...options, "--serial", line.cloudPath);
  return node;
}

/** What the device measures at its n-th sample. */
function truth(n: number): number[] {
  return [Math.sin(n / 9) + 0.2 * Math.sin(n * n), Math.cos(n / 31)];
}

async function openDevice(): Promise<DeviceSession> {
  const openPort = () => openSerialPort({ path: line.devicePath, baudRate: 115_200, clock });
  session = await DeviceSession.open({
    device: "probe",
    channels: ["x", "y"].map((name) => planChannel({ name, eps: EPS, min: -2, max: 2 })),
    frameSamples: FRAME_SAMPLES,
    periodNs: 1_000 * PERIOD_US,
    silenceMs: 2_000,
    transport: serialTransport({ openPort, clock, random }),
    module: MODULE,
    clock,
    random,
  });
  return session;
}

/** Take samples n … end − 1 in about their own time, with something done after each frame. */
async function take(device: DeviceSession, from: number, end: number, afterFrame?: () => void): Promise<void> {
  for (let n = from; n < end; n += 1) {
    device.push(truth(n), START_US + n * PERIOD_US);
    if (n % FRAME_SAMPLES !== FRAME_SAMPLES - 1) continue;
    afterFrame?.();
    await new Promise((resolve) => setTimeout(resolve, (FRAME_SAMPLES * PERIOD_US) / 1000));
  }
}

/** Everything taken is confirmed to the device, and in the store once, within its bound. */
async function expectAllStored(device: DeviceSession, samples: number): Promise<void> {
  device.flush();
  expect(await device.drained(DRAIN_MS)).toBe(true);
  expect(device.stats().evictedSamples).toBe(0);
  node?.child.kill("SIGINT");
  expect((await node?.finished())?.code).toBe(0);
  const history = await openHistory(join(folder, "node.db"));
  try {
    expect(history.gaps("probe")).toEqual([]);
    let stored = 0;
    for (const { timeUs, values } of history.samples("probe")) {
      expect(timeUs).toBe(START_US + stored * PERIOD_US);
      for (const [c, x] of truth(stored).entries())
        expect(Math.abs((values[c] ?? Number.NaN) - x)).toBeLessThanOrEqual(EPS);
      stored += 1;
    }
    expect(stored).toBe(samples);
  } finally {
    history.close();
  }
}

/** Bytes as a broken wire makes them: of every value, or few, so that zeros and codes are among them. */
function randomNoise(): Uint8Array {
  const values = noise.uniform() < 0.5 ? 256 : 4;
  return Uint8Array.from({ length: 1 + Math.floor(40 * noise.uniform()) }, () => Math.floor(values * noise.uniform()));
}

requires("socat")("a device on a serial line", () => {
  test("every sample arrives within its bound, with garbage on the line in both directions", async () => {
    await serve().said(/serial line is open/);
    const device = await openDevice();
    let disturbed = 0;
    await take(device, 0, 3_000, () => {
      for (const reader of ["cloud", "device"] as const) {
        if (noise.uniform() < 0.7) continue;
        line.disturb(reader, randomNoise());
        disturbed += 1;
      }
    });
    expect(disturbed).toBeGreaterThan(50);
    await expectAllStored(device, 3_000);
    expect(device.stats().connections).toBe(1);
  });

  test("unplugged and plugged in again it loses nothing, and its twin is offline meanwhile", async () => {
    await serve().said(/serial line is open/);
    const device = await openDevice();
    let taken = 0;
    for (let times = 1; times <= 2; times += 1) {
      await take(device, taken, taken + 500);
      await line.unplug();
      const count = (pattern: string) => new RegExp(`(${pattern}[^]*){${times}}`);
      await node?.said(count('"kind":"offline"'));
      await node?.said(count("serial line is gone"));
      await take(device, taken + 500, taken + 750);
      expect(device.stats().phase).toBe("down");
      await line.plugIn();
      await node?.said(new RegExp(`("kind":"online"[^]*){${times + 1}}`));
      taken += 750;
    }
    await take(device, taken, taken + 250);
    await expectAllStored(device, taken + 250);
    expect(device.stats().connections).toBe(3);
  });

  test("a node that is killed and started again knows the device by its status, and nothing confirmed is lost", async () => {
    await serve().said(/serial line is open/);
    const device = await openDevice();
    let taken = 0;
    for (let kills = 0; kills < 2; kills += 1) {
      await take(device, taken, taken + 500);
      node?.child.kill("SIGKILL");
      await node?.finished();
      await take(device, taken + 500, taken + 700);
      const again = serve();
      await take(device, taken + 700, taken + 1_000);
      await again.said(/"kind":"online","device":"probe"/);
      await expect(Promise.race([again.said(/"kind":"born"/), device.settled(4, DRAIN_MS)])).resolves.toBe(true);
      taken += 1_000;
    }
    await expectAllStored(device, taken);
    expect(device.stats().connections).toBe(1);
  });

  requires("c-compiler")("and in C", () => {
    test("the example for a Linux host delivers every sample through noise and a killed node", async () => {
      const { file } = await buildDeviceProgram(LINUX_HOST_SOURCES, LINUX_HOST_INCLUDES);
      await serve().said(/serial line is open/);
      const end = openSync(line.devicePath, constants.O_RDWR | constants.O_NOCTTY);
      const options = ["--serial", "--pace", "--samples", "500", "--frame-samples", "20", "--name", "wave-1"];
      const host = spawn(file ?? "", options, { stdio: [end, end, "pipe"] });
      closeSync(end);
      const ended = once(host, "close");
      await node?.said(/"kind":"online","device":"wave-1"/);
      for (let times = 0; times < 10; times += 1) {
        line.disturb(times % 2 === 0 ? "cloud" : "device", randomNoise());
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      node?.child.kill("SIGKILL");
      await node?.finished();
      await serve().said(/"kind":"online","device":"wave-1"/);
      expect(await ended).toEqual([0, null]);
      node?.child.kill("SIGINT");
      await node?.finished();
      const history = await openHistory(join(folder, "node.db"));
      const rows = [...history.samples("wave-1")].map(({ values }) => [...values]);
      expect([history.gaps("wave-1"), rows.length]).toEqual([[], 500]);
      history.close();
      const errors = rows.flatMap((row, t) => row.map((value, c) => Math.abs(1024 * value - linuxHostWave(t, c))));
      expect(Math.max(...errors)).toBeLessThanOrEqual(LINUX_HOST_E);
    });
  });

  test("a port that is not there yet is waited for, and said once", async () => {
    await line.unplug();
    const waiting = serve();
    await waiting.said(/there is no .*cloud-end; plug the device in/);
    await line.plugIn();
    const device = await openDevice();
    await take(device, 0, 200);
    await expectAllStored(device, 200);
  });
});
