import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import {
  type DeviceSession,
  Loopback,
  mqttTransport,
  sleep,
  systemClock,
  type Transport,
  tcpTransport,
} from "@lockstep/edge-sdk";
import { encodeFrame, encodeStreamFrame } from "@lockstep/protocol";
import { faultyTransport, linkFault, seededRandom } from "@lockstep/sim";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { type Clock, systemClock as nodeClock } from "./clock.ts";
import { openHistory } from "./history/history.ts";
import { SILENT_LOGGER } from "./logger.ts";
import { CloudNode } from "./node.ts";
import type { CloudNodeOptions } from "./node-options.ts";
import { EncodedDevice } from "./reconstructor/encoded-device.suite.ts";
import type { NodeEvent } from "./reconstructor/node-event.ts";
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

test("a node that is started again goes on with the twins it had, and the device loses nothing", async () => {
  const first = await open({ tcpPort: 0, tcpHost: "127.0.0.1" });
  const { tcpPort } = first;
  const session = await start("pump", TRANSPORTS.tcp?.(first, "pump") ?? new Loopback().transport);
  const random = new SeededRandom(7);
  const truth = push(session, random, 0, 500);
  await session.settled(3, LIMIT_MS);
  await first.close();
  truth.push(...push(session, random, 500, 500));
  const second = await open({ tcpPort, tcpHost: "127.0.0.1" });
  truth.push(...push(session, random, 1_000, 500));
  session.flush();
  expect(await session.drained(LIMIT_MS)).toBe(true);
  expect(second.device("pump")).toMatchObject({
    epoch: 1,
    confirmed: { samples: 1_500 },
    lost: { samples: 0, gaps: 0 },
  });
  await session.close();
  const live = second.device("pump");
  await second.close();
  await expectHistory("pump", truth);
  const third = await open();
  expect(third.device("pump")).toMatchObject({
    online: false,
    status: "offline",
    stateHash: live?.stateHash,
    confirmed: live?.confirmed,
    latest: [live?.latest[0]],
  });
});

test("over a link that loses, reorders, repeats and corrupts messages both ways everything is confirmed in the end", async () => {
  const cloud = await open();
  const loopback = new Loopback();
  cloud.attach(loopback);
  const faults = { loss: 0.2, reorder: 0.1, duplicate: 0.1, corrupt: 0.05 };
  const transport = faultyTransport(loopback.transport, {
    up: linkFault(faults, seededRandom(1)),
    down: linkFault(faults, seededRandom(2)),
    clock: systemClock(),
  });
  const session = await start("pump", transport);
  const truth = push(session, new SeededRandom(8), 0, 3_000);
  session.flush();
  expect(await session.drained(LIMIT_MS)).toBe(true);
  expect(cloud.device("pump")?.lost).toEqual({ samples: 0, gaps: 0 });
  await session.close();
  await cloud.close();
  await expectHistory("pump", truth);
}, 60_000);

test("what a device drops from its full ring while nobody listens is declared to the sample, and the rest is confirmed", async () => {
  const cloud = await open();
  const loopback = new Loopback();
  const leave = cloud.attach(loopback);
  const session = await start("pump", loopback.transport);
  const random = new SeededRandom(9);
  const truth = push(session, random, 0, 400);
  session.flush();
  expect(await session.drained(LIMIT_MS)).toBe(true);
  leave();
  truth.push(...push(session, random, 400, 60_000));
  session.flush();
  const { evictedSamples } = session.stats();
  expect(evictedSamples).toBeGreaterThan(0);
  cloud.attach(loopback);
  expect(await session.drained(LIMIT_MS)).toBe(true);
  expect(cloud.device("pump")?.lost).toEqual({ samples: evictedSamples, gaps: 1 });
  await session.close();
  await cloud.close();
  const history = await openHistory(file());
  expect(history.gaps("pump").map(({ reason, samples }) => ({ reason, samples }))).toEqual([
    { reason: "evicted", samples: evictedSamples },
  ]);
  let count = 0;
  for (const { index, timeUs, values } of history.samples("pump")) {
    expect(timeUs).toBe(1_000_000 + index * 10_000);
    expect(Math.abs((values[0] ?? Number.NaN) - (truth[index]?.[0] ?? Number.NaN))).toBeLessThanOrEqual(EPS);
    count += 1;
  }
  history.close();
  expect(count).toBe(truth.length - evictedSamples);
});

test("a boot with the ring of the one before sends both, each under its own epoch", async () => {
  const cloud = await open();
  const ringFile = join(folder, "ring");
  const before = await openDevice({
    device: "pump",
    transport: new Loopback().transport,
    random: new SeededRandom(1),
    ringFile,
  });
  const random = new SeededRandom(10);
  const truth = push(before, random, 0, 300);
  before.flush();
  await before.close();
  const loopback = new Loopback();
  cloud.attach(loopback);
  const after = await openDevice({
    device: "pump",
    transport: loopback.transport,
    random: new SeededRandom(2),
    ringFile,
  });
  devices.push(after);
  expect(after.stats().adoptedFrames).toBeGreaterThan(0);
  truth.push(...push(after, random, 300, 300));
  after.flush();
  expect(await after.drained(LIMIT_MS)).toBe(true);
  await after.close();
  await cloud.close();
  const history = await openHistory(file());
  const samples = [...history.samples("pump")];
  history.close();
  expect(samples.length).toBe(600);
  for (const [i, { timeUs, values }] of samples.entries()) {
    expect(timeUs).toBe(1_000_000 + i * 10_000);
    expect(Math.abs((values[1] ?? Number.NaN) - (truth[i]?.[1] ?? Number.NaN))).toBeLessThanOrEqual(EPS);
  }
});

test("samples that are missing or beyond the range are flagged, told, and stored as flagged", async () => {
  const cloud = await open();
  const events: NodeEvent[] = [];
  cloud.onEvent((event) => events.push(event));
  const loopback = new Loopback();
  cloud.attach(loopback);
  const session = await start("pump", loopback.transport);
  for (let i = 0; i < 60; i++) session.push([i === 25 ? Number.NaN : 1, i === 41 ? 1e6 : 2], 1_000_000 + i * 10_000);
  session.flush();
  expect(await session.drained(LIMIT_MS)).toBe(true);
  expect(cloud.device("pump")?.flagged).toEqual({ invalid: 1, saturated: 1 });
  expect(events.filter(({ kind }) => kind === "invalid" || kind === "saturated")).toMatchObject([
    { kind: "invalid", device: "pump", count: 1 },
    { kind: "saturated", device: "pump", count: 1 },
  ]);
  await session.close();
  await cloud.close();
  const history = await openHistory(file());
  const flagged = [...history.samples("pump")].flatMap(({ index, statuses }) =>
    [...statuses].flatMap((status, c) => (status === 0 ? [] : [{ index, c, status }])),
  );
  history.close();
  expect(flagged).toEqual([
    { index: 25, c: 0, status: 1 },
    { index: 41, c: 1, status: 2 },
  ]);
});

test("extrapolated samples say so, come after the confirmed one, and never go further than the silence", async () => {
  const cloud = await open();
  const loopback = new Loopback();
  cloud.attach(loopback);
  const session = await start("pump", loopback.transport);
  push(session, new SeededRandom(11), 0, 40);
  session.flush();
  expect(await session.drained(LIMIT_MS)).toBe(true);
  await session.close();
  const limitUs = 2_000_000;
  const until = systemClock().nowMs() + LIMIT_MS;
  let ahead = cloud.device("pump")?.latest[1];
  while (systemClock().nowMs() < until && (ahead?.timeUs ?? 0) < 1_390_000 + limitUs) {
    await sleep(systemClock(), 50);
    ahead = cloud.device("pump")?.latest[1];
  }
  expect(ahead?.state).toBe("extrapolated");
  expect(ahead?.timeUs).toBe(1_390_000 + limitUs);
  expect(cloud.device("pump")?.latest[0]).toMatchObject({ state: "confirmed", timeUs: 1_390_000 });
  expect(cloud.device("pump")?.recent(0, 1000).length).toBe(40);
});

/** The system's clock, and the timers of it that neither ran nor were cancelled. */
function countedClock() {
  const [system, timers] = [nodeClock(), new Set<object>()];
  const setTimer: Clock["setTimer"] = (callback, delayMs) => {
    const name = {};
    const timer = system.setTimer(() => {
      timers.delete(name);
      callback();
    }, delayMs);
    timers.add(name);
    return {
      cancel: () => {
        timers.delete(name);
        timer.cancel();
      },
    };
  };
  const clock: Clock = { nowMs: () => system.nowMs(), unixUs: () => system.unixUs(), setTimer };
  return { clock, timers };
}

test("a port that is taken is named, and the node leaves nothing open", async () => {
  const first = await open({ tcpPort: 0, tcpHost: "127.0.0.1" });
  const workers: Worker[] = [];
  const started = (worker: Worker) => void workers.push(worker);
  process.on("worker", started);
  onTestFinished(() => void process.off("worker", started));
  const { clock, timers } = countedClock();
  const taken = CloudNode.open({
    storeFile: join(folder, "other.db"),
    broker: null,
    tcpPort: first.tcpPort,
    tcpHost: "127.0.0.1",
    threads: 2,
    retention: { maxAgeMs: 1_000 },
    logger: SILENT_LOGGER,
    clock,
  });
  await expect(taken).rejects.toMatchObject({ name: "PortError", code: "port-taken" });
  // The store's, and two that decode; one that has ended has no number.
  await vi.waitFor(() => expect(workers.map(({ threadId }) => threadId)).toEqual([-1, -1, -1]), LIMIT_MS);
  expect(timers.size).toBe(0);
});

test("a node ends although its disk is slow and its devices never stop", async () => {
  node = await CloudNode.openWith(
    { storeFile: file(), broker: null, logger: SILENT_LOGGER, clock: nodeClock() },
    {
      store: (store) => ({
        reader: store.reader,
        retain: (rules) => store.retain(rules),
        close: () => store.close(),
        commit: async (batch) => {
          await sleep(systemClock(), 20);
          return store.commit(batch);
        },
      }),
    },
  );
  const loopback = new Loopback();
  node.attach(loopback);
  const session = await start("unit", loopback.transport);
  const random = new SeededRandom(1);
  let next = 0;
  const busy = setInterval(() => {
    push(session, random, next, 20);
    next += 20;
  }, 2);
  await sleep(systemClock(), 200);
  const isClosed = await Promise.race([
    node.close().then(() => true),
    sleep(systemClock(), 5_000).then(() => false),
  ]).finally(() => clearInterval(busy));
  expect(isClosed).toBe(true);
});

test("a TCP device that never reads does not keep the node from ending", async () => {
  const cloud = await open({ tcpPort: 0, tcpHost: "127.0.0.1" });
  const { birthBytes, birth } = new EncodedDevice(1);
  const born = new Promise((resolve) => cloud.onEvent(({ kind }) => kind === "born" && resolve(kind)));
  const socket = connect(cloud.tcpPort ?? 0, "127.0.0.1").pause();
  socket.on("error", () => {});
  socket.write(encodeStreamFrame(birthBytes));
  await born;
  const about = { nonce: birth.nonce, epoch: 1, oldest: 0, next: 0, evicted: 0, ringFill: 0, timeUs: 0 };
  const status = encodeStreamFrame(encodeFrame({ kind: "status", ...about }));
  const many = Buffer.concat(Array.from({ length: 10_000 }, () => status));
  // Answers of some 20 MB: more than the buffers of both sockets take.
  for (let i = 0; i < 100; i++) if (!socket.write(many)) await once(socket, "drain");
  const isClosed = await Promise.race([cloud.close().then(() => true), sleep(systemClock(), 10_000).then(() => false)]);
  expect(isClosed).toBe(true);
  socket.destroy();
});
