import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type DeviceSession,
  Loopback,
  mqttTransport,
  systemClock,
  type Transport,
  tcpTransport,
} from "@lockstep/edge-sdk";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock as nodeClock } from "./clock.ts";
import { openHistory } from "./history.ts";
import { SILENT_LOGGER } from "./logger.ts";
import { CloudNode, type CloudNodeOptions } from "./node.ts";
import { EPS, openDevice, SeededRandom, signal } from "./test-device.suite.ts";

const LIMIT_MS = 20_000;
let folder = "";
let node: CloudNode | undefined;
const devices: DeviceSession[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-node-"));
});

afterEach(async () => {
  for (const device of devices.splice(0)) await device.close();
  await node?.close();
  node = undefined;
  rmSync(folder, { recursive: true });
});

const file = () => join(folder, "store.db");

async function open(options: Partial<CloudNodeOptions> = {}): Promise<CloudNode> {
  node = await CloudNode.open({
    storeFile: file(),
    broker: null,
    logger: SILENT_LOGGER,
    clock: nodeClock(),
    acks: { everyFrames: 16, ageMs: 50 },
    ...options,
  });
  return node;
}

async function start(device: string, transport: Transport, seed = 1): Promise<DeviceSession> {
  const session = await openDevice({ device, transport, random: new SeededRandom(seed) });
  devices.push(session);
  return session;
}

/** Push samples and keep them; the time of sample n is n periods. */
function push(session: DeviceSession, random: SeededRandom, from: number, count: number): number[][] {
  return Array.from({ length: count }, (_, i) => {
    const values = signal(random, from + i);
    session.push(values, 1_000_000 + (from + i) * 10_000);
    return values;
  });
}

async function expectHistory(device: string, truth: readonly number[][]): Promise<void> {
  const history = await openHistory(file());
  const samples = [...history.samples(device)];
  history.close();
  expect(samples.length).toBe(truth.length);
  for (const [i, { index, timeUs, values }] of samples.entries()) {
    expect(index).toBe(i);
    expect(timeUs).toBe(1_000_000 + i * 10_000);
    for (const [c, value] of values.entries()) {
      expect(Math.abs(value - (truth[i]?.[c] ?? Number.NaN))).toBeLessThanOrEqual(EPS);
    }
  }
}

const TRANSPORTS: Readonly<Record<string, (cloud: CloudNode, device: string) => Transport>> = {
  loopback: (cloud) => {
    const loopback = new Loopback();
    cloud.attach(loopback);
    return loopback.transport;
  },
  tcp: (cloud) => {
    return tcpTransport({ url: `tcp://127.0.0.1:${cloud.tcpPort}`, clock: systemClock(), random: new SeededRandom(3) });
  },
  mqtt: (cloud, device) => {
    return mqttTransport({
      url: cloud.mqttUrl ?? "",
      group: "lockstep",
      device,
      clock: systemClock(),
      random: new SeededRandom(3),
    });
  },
};

for (const [name, transport] of Object.entries(TRANSPORTS)) {
  test(`what a device sends over ${name} is confirmed within its bound, and so says the store alone`, async () => {
    const cloud = await open({
      tcpPort: 0,
      tcpHost: "127.0.0.1",
      broker: { kind: "embedded", port: 0, host: "127.0.0.1" },
    });
    const session = await start("pump", transport(cloud, "pump"));
    const truth = push(session, new SeededRandom(7), 0, 1_010);
    session.flush();
    expect(await session.drained(LIMIT_MS)).toBe(true);
    const view = cloud.device("pump");
    expect(view?.confirmed.samples).toBe(1_010);
    expect(view?.online).toBe(true);
    expect(view?.lost).toEqual({ samples: 0, gaps: 0 });
    const newest = view?.latest[0];
    expect(newest?.state).toBe("confirmed");
    expect(Math.abs((newest?.values[0] ?? Number.NaN) - (truth.at(-1)?.[0] ?? Number.NaN))).toBeLessThanOrEqual(EPS);
    if (name !== "loopback") {
      expect(view?.traffic.isSocketCounted).toBe(true);
      expect(view?.traffic.socketBytesUp).toBeGreaterThan(view?.traffic.frameBytes ?? 0);
    }
    await session.close();
    await cloud.close();
    await expectHistory("pump", truth);
  });
}
