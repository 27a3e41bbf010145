import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileDeviceModule, compileGatewayModule, Loopback, TransportError } from "@lockstep/edge-sdk";
import { toValue } from "@lockstep/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../manual-clock.ts";
import { seededRandom } from "../seeded-random.ts";
import { createSignal } from "../signals/signal-registry.ts";
import { transportTo } from "./device-transport.ts";
import { createFleet, deviceNames } from "./fleet.ts";
import { checkHistory, type HistoryRow } from "./history-check.ts";
import { paceInRealTime } from "./pacing.ts";
import { SimulatedDevice, type SimulatedDeviceOptions } from "./simulated-device.ts";

const require = createRequire(import.meta.url);
const wasm = (name: string) => readFileSync(require.resolve(`@lockstep/edge-sdk/${name}.wasm`));
const module = compileDeviceModule(wasm("device"));
const gateway = compileGatewayModule(wasm("gateway"), wasm("device"));
const SEED = 12;
const START_US = 1_700_000_000_000_000;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-device-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A device that never reaches anybody. */
function createDevice(changes: Partial<SimulatedDeviceOptions> = {}): { device: SimulatedDevice; clock: ManualClock } {
  const clock = new ManualClock(START_US);
  const device = new SimulatedDevice({
    id: "dev",
    signal: createSignal({ name: "walk", channels: 2 }, seededRandom(SEED)),
    eps: { rel: 0.001 },
    frameSamples: 10,
    silenceMs: 1000,
    startUs: START_US,
    connect: () => new Loopback().transport,
    module,
    clock,
    nonces: seededRandom(SEED),
    ...changes,
  });
  return { device, clock };
}

/** Rows as a perfect store would give them. */
function* perfectRows(device: SimulatedDevice, samples: number): Generator<HistoryRow> {
  const reader = device.signal.read();
  const row = new Float64Array(device.signal.channels.length);
  for (let sample = 0; sample < samples && reader.next(row); sample += 1) {
    const values = [...row].map((value, c) => {
      const config = device.channels[c]?.config;
      return config === undefined
        ? value
        : toValue(config, Math.round(value / toValue({ ...config, offset: 0 }, 1)) - config.offset);
    });
    yield { epoch: 1, index: sample, timeUs: device.timeUs(sample), values, statuses: new Uint8Array(row.length) };
  }
}

test("every sample is either in the ring, dropped from it, or not in a frame yet", async () => {
  const { device } = createDevice({ ringBytes: 4096 });
  await device.powerOn();
  for (let end = 7; end < 5000; end += 7) {
    device.advanceTo(end);
    const accounted = device.ledger.held().count + device.ledger.evicted.count + (device.stats?.pendingSamples ?? 0);
    expect(accounted).toBe(end);
  }
  expect(device.ledger.evicted.count).toBe(device.stats?.evictedSamples);
  expect(device.ledger.evicted.count).toBeGreaterThan(1000);
  await device.close();
});

test("a power cut takes what no frame covers, and nothing that is in the ring file", async () => {
  const { device } = createDevice({ ringFile: join(folder, "ring") });
  await device.powerOn();
  device.advanceTo(205);
  await device.powerCut();
  device.advanceTo(300);
  await device.powerOn();
  device.advanceTo(400);
  device.flush();
  expect([...device.ledger.unsaved]).toEqual([{ from: 200, to: 205 }]);
  expect([...device.ledger.held()]).toEqual([
    { from: 0, to: 200 },
    { from: 300, to: 400 },
  ]);
  expect(device.summary()).toMatchObject({ samples: 305, boots: 2, unsaved: 5, rawBytes: 305 * 8 });
  await device.close();
});

test("a store that holds everything passes, and each kind of damage is found", async () => {
  const { device } = createDevice();
  await device.powerOn();
  device.advanceTo(100);
  device.flush();
  device.ledger.confirmed.add(0, 100);
  const rows = [...perfectRows(device, 100)];
  const clean = checkHistory(device, rows);
  expect(clean).toMatchObject({ samples: 100, lostConfirmed: 0, invented: 0, wrongStatuses: 0, undelivered: 0 });
  expect(clean.maxErrorOverEps).toBeLessThan(0.01);
  const [first, ...others] = rows;
  if (first === undefined) throw new RangeError("no rows");
  expect(checkHistory(device, others).lostConfirmed).toBe(1);
  expect(checkHistory(device, [...rows, first]).invented).toBe(1);
  expect(checkHistory(device, [{ ...first, timeUs: first.timeUs + 3 }, ...others])).toMatchObject({
    invented: 1,
    lostConfirmed: 1,
  });
  expect(
    checkHistory(device, [{ ...first, values: [first.values[0] ?? 0, 9] }, ...others]).maxErrorOverEps,
  ).toBeGreaterThan(1);
  expect(checkHistory(device, [{ ...first, statuses: [1, 0] }, ...others]).wrongStatuses).toBe(1);
  await device.close();
});

test("in real time, samples are taken when they fall due, however late the timer", async () => {
  const { device, clock } = createDevice();
  await device.powerOn();
  const pace = paceInRealTime([device], clock, (_, error) => expect.unreachable(String(error)));
  await clock.advance(0);
  expect(device.next).toBe(1);
  await clock.advance(1000);
  expect(device.next).toBe(101);
  pace.stop();
  await clock.advance(1000);
  expect(device.next).toBe(101);
  await device.close();
  expect(clock.pending).toBe(0);
});

test("a recording that does not loop ends the pace", async () => {
  const signal = createSignal({ name: "sine" }, seededRandom(SEED));
  const finite = {
    ...signal,
    samples: 20,
    read() {
      const reader = signal.read();
      let left = 20;
      return { next: (out: Float64Array) => left-- > 0 && reader.next(out) };
    },
  };
  const { device, clock } = createDevice({ signal: finite });
  await device.powerOn();
  const pace = paceInRealTime([device], clock, (_, error) => expect.unreachable(String(error)));
  await clock.advance(1000);
  await pace.ended;
  expect([device.next, device.hasEnded]).toEqual([20, true]);
  await device.close();
});

test("the devices of a fleet differ from each other, and are the same for the same seed", () => {
  const plan = { id: "m", count: 3, signal: { name: "walk" }, eps: { rel: 0.01 }, frameSamples: 10 };
  const rows = (seed: number) =>
    createFleet({
      plans: [plan],
      endpoint: () => ({ url: "tcp://127.0.0.1:1", group: "g" }),
      module,
      clock: new ManualClock(START_US),
      random: seededRandom(seed),
      nonces: seededRandom(SEED),
    }).map((device) => {
      const out = new Float64Array(1);
      device.signal.read().next(out);
      return out[0];
    });
  expect(deviceNames(plan)).toEqual(["m-1", "m-2", "m-3"]);
  expect(new Set(rows(SEED)).size).toBe(3);
  expect(rows(SEED)).toEqual(rows(SEED));
  expect(rows(SEED)).not.toEqual(rows(SEED + 1));
});

test("a fleet gives a gateway's module to devices that look ahead, and refuses them without one", async () => {
  const plan = { id: "m", signal: { name: "walk" }, eps: { rel: 0.01 }, frameSamples: 10 };
  const common = {
    endpoint: () => ({ url: "tcp://127.0.0.1:1", group: "g" }),
    clock: new ManualClock(START_US),
    random: seededRandom(SEED),
    nonces: seededRandom(SEED),
  };
  const plans = [plan, { ...plan, id: "g", lookahead: "greedy" as const }];
  const devices = createFleet({ ...common, plans, module, gateway });
  await Promise.all(devices.map((device) => device.powerOn()));
  expect(devices.map((device) => device.summary().lookahead)).toEqual(["none", "greedy"]);
  await Promise.all(devices.map((device) => device.close()));
  const [plain, refused] = createFleet({ ...common, plans, module });
  await expect(refused?.powerOn()).rejects.toMatchObject({ code: "no-lookahead" });
  await plain?.powerOn();
  await plain?.close();
});

test("an address of an unknown kind is refused", () => {
  const parts = { device: "d", clock: new ManualClock(), random: seededRandom(1) };
  expect(() => transportTo({ url: "http://x", group: "g" }, parts)).toThrow(TransportError);
});
