import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ChannelPlan,
  compileDeviceModule,
  DeviceSession,
  type DeviceSessionOptions,
  Loopback,
  planChannel,
  SessionError,
  systemClock,
} from "@lockstep/edge-sdk";
import { toValue } from "@lockstep/protocol";
import { createSignal, seededRandom } from "@lockstep/sim";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RawCloud } from "./raw-cloud.ts";
import { DEVICE_WASM } from "./raw-device.ts";

const SEED = 77;
const EPS = 0.05;
const PERIOD_NS = 10_000_000;
const WAIT_MS = 20_000;
const module = compileDeviceModule(readFileSync(DEVICE_WASM));
const channels: ChannelPlan[] = ["x", "y", "z", "rx", "ry", "rz"].map((name) =>
  planChannel({ name, eps: EPS, min: -2, max: 2 }),
);

/** The minimal receiver at the far end of a loopback, acknowledging every message at once. */
function serve(loopback: Loopback, cloud: RawCloud): void {
  loopback.listen({
    connected() {},
    disconnected() {},
    message(bytes) {
      for (const answer of cloud.take(bytes)) loopback.send(answer);
      if (cloud.birth !== undefined) loopback.send(cloud.ackAll());
    },
  });
}

const open = (loopback: Loopback, changes: Partial<DeviceSessionOptions> = {}) =>
  DeviceSession.open({
    device: "dev",
    channels,
    frameSamples: 10,
    periodNs: PERIOD_NS,
    silenceMs: 60_000,
    transport: loopback.transport,
    module,
    clock: systemClock(),
    random: seededRandom(SEED),
    ...changes,
  });

/** Push samples of the reference rotor. @returns what was pushed, shape (count, 6) */
function push(session: DeviceSession, count: number, seed = SEED): number[][] {
  const reader = createSignal({ name: "rotor" }, seededRandom(seed)).read();
  const row = new Float64Array(6);
  return Array.from({ length: count }, (_, i) => {
    reader.next(row);
    session.push(row, 1_000_000 + (i * PERIOD_NS) / 1000);
    return [...row];
  });
}

function largestError(cloud: RawCloud, truth: readonly number[][]): number {
  expect(cloud.rows.length).toBe(truth.length);
  let largest = 0;
  for (const [i, { samples }] of cloud.rows.entries()) {
    for (const [c, { config }] of channels.entries()) {
      largest = Math.max(largest, Math.abs(toValue(config, samples[c] ?? 0) - (truth[i]?.[c] ?? Number.NaN)));
    }
  }
  return largest;
}

test("everything pushed is confirmed, and decodes to within eps of the float originals", async () => {
  const [loopback, cloud] = [new Loopback(), new RawCloud()];
  serve(loopback, cloud);
  const session = await open(loopback);
  const truth = push(session, 1234);
  session.flush();
  expect(await session.drained(WAIT_MS)).toBe(true);
  expect(largestError(cloud, truth)).toBeLessThanOrEqual(EPS);
  expect(largestError(cloud, truth)).toBeGreaterThan(0);
  const stats = session.stats();
  expect(stats).toMatchObject({ phase: "live", epoch: 1, samples: 1234, unconfirmedFrames: 0, evictedSamples: 0 });
  expect(stats.payloadBytes).toBeLessThan(stats.dataFrameBytes);
  expect(stats.dataFrameBytes).toBeLessThan(stats.bytes);
  await session.close();
});

test("frames that a full ring dropped are not counted as acknowledged, and those that the cloud confirms are", async () => {
  const [loopback, cloud] = [new Loopback(), new RawCloud()];
  const session = await open(loopback, { ringBytes: 4096 });
  push(session, 3000);
  const { evictedSamples, acknowledgedFrames, nextSeq, unconfirmedFrames } = session.stats();
  expect(evictedSamples).toBeGreaterThan(0);
  expect(nextSeq).toBeGreaterThan(unconfirmedFrames);
  expect(acknowledgedFrames).toBe(0);
  serve(loopback, cloud);
  expect(await session.drained(WAIT_MS)).toBe(true);
  expect(session.stats().acknowledgedFrames).toBe(unconfirmedFrames);
  await session.close();
});

test("samples taken without a connection wait in the ring, and arrive when there is one", async () => {
  const [loopback, cloud] = [new Loopback(), new RawCloud()];
  const session = await open(loopback);
  const truth = push(session, 500);
  session.flush();
  expect(await session.drained(1)).toBe(false);
  serve(loopback, cloud);
  expect(await session.drained(WAIT_MS)).toBe(true);
  expect(largestError(cloud, truth)).toBeLessThanOrEqual(EPS);
  await session.close();
});

test("a connection that breaks again and again loses nothing and repeats nothing", async () => {
  const [loopback, cloud] = [new Loopback(), new RawCloud()];
  serve(loopback, cloud);
  const session = await open(loopback);
  const reader = createSignal({ name: "rotor" }, seededRandom(SEED)).read();
  const truth: number[][] = [];
  const row = new Float64Array(6);
  for (let i = 0; i < 2000; i += 1) {
    reader.next(row);
    truth.push([...row]);
    session.push(row, i * 10_000);
    if (i % 97 === 0) loopback.drop("cut");
    if (i % 97 === 13) serve(loopback, cloud);
    if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  serve(loopback, cloud);
  session.flush();
  expect(await session.drained(WAIT_MS)).toBe(true);
  expect(largestError(cloud, truth)).toBeLessThanOrEqual(EPS);
  await session.close();
});

test("a slow far end holds the session back without losing its place", async () => {
  const [loopback, cloud] = [new Loopback(4), new RawCloud()];
  serve(loopback, cloud);
  const session = await open(loopback);
  await new Promise((resolve) => setImmediate(resolve));
  loopback.pause();
  const truth = push(session, 300);
  session.flush();
  await new Promise((resolve) => setImmediate(resolve));
  loopback.resume();
  expect(await session.drained(WAIT_MS)).toBe(true);
  expect(largestError(cloud, truth)).toBeLessThanOrEqual(EPS);
  await session.close();
});

test("frames longer than the transport's messages arrive in fragments", async () => {
  const [loopback, cloud] = [new Loopback(), new RawCloud()];
  serve(loopback, cloud);
  const session = await open(loopback, { mtu: 51 });
  const truth = push(session, 200);
  session.flush();
  expect(await session.drained(WAIT_MS)).toBe(true);
  expect(largestError(cloud, truth)).toBeLessThanOrEqual(EPS);
  expect(cloud.kinds.fragment).toBeGreaterThan(0);
  await session.close();
});

test("a sample of the wrong width or at an impossible time, and a closed session, are refused", async () => {
  const session = await open(new Loopback());
  expect(() => session.push([1, 2])).toThrow(SessionError);
  for (const timeUs of [-1, 0.5, Number.NaN, 2 ** 53]) {
    expect(() => session.push([1, 2, 3, 4, 5, 6], timeUs)).toThrow(/device time is a whole number/);
  }
  expect(session.stats().samples).toBe(0);
  await session.close();
  await session.close();
  expect(() => session.push([1, 2, 3, 4, 5, 6])).toThrow(/closed/);
  expect(await session.drained(WAIT_MS)).toBe(true);
});

test("a ring that does not fit the core's memory is refused with what would", async () => {
  await expect(open(new Loopback(), { ringBytes: 65_536 })).rejects.toThrow(/room for \d+/);
});

describe("with its ring in a file", () => {
  let folder = "";
  let ringFile = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-ring-"));
    ringFile = join(folder, "dev.ring");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("a device that loses power delivers, after it, every frame that was in the ring", async () => {
    const cloud = new RawCloud();
    const first = new Loopback();
    const before = await open(first, { ringFile, random: seededRandom(1) });
    const truth = push(before, 500);
    before.flush();
    const framesInRing = before.stats().unconfirmedFrames;
    expect(framesInRing).toBeGreaterThan(10);
    await before.destroy();
    const second = new Loopback();
    serve(second, cloud);
    const after = await open(second, { ringFile, random: seededRandom(2) });
    expect(after.stats().adoptedFrames).toBe(framesInRing);
    const more = push(after, 300, SEED + 1);
    after.flush();
    expect(await after.drained(WAIT_MS)).toBe(true);
    expect(largestError(cloud, [...truth, ...more])).toBeLessThanOrEqual(EPS);
    await after.close();
  });

  test("each boot has an epoch of its own once the cloud has granted the first", async () => {
    const epochs: number[] = [];
    for (let boot = 0; boot < 4; boot += 1) {
      const [loopback, cloud] = [new Loopback(), new RawCloud()];
      serve(loopback, cloud);
      const session = await open(loopback, { ringFile, random: seededRandom(boot) });
      push(session, 50);
      session.flush();
      await session.drained(WAIT_MS);
      epochs.push(session.stats().epoch);
      await session.destroy();
    }
    expect(epochs).toEqual([1, 2, 3, 4]);
  });

  test("a file that is cut, flipped or foreign never brings wrong data, and a foreign one is named", async () => {
    const before = await open(new Loopback(), { ringFile });
    push(before, 500);
    const framesInRing = before.stats().unconfirmedFrames;
    await before.destroy();
    const whole = readFileSync(ringFile);
    for (const damage of [
      whole.subarray(0, 500),
      whole.map((byte, i) => (i % 300 === 299 ? byte ^ 16 : byte)),
      new Uint8Array(9),
    ]) {
      writeFileSync(ringFile, damage);
      const [loopback, cloud] = [new Loopback(), new RawCloud()];
      serve(loopback, cloud);
      const session = await open(loopback, { ringFile });
      expect(session.stats().adoptedFrames).toBeLessThan(framesInRing);
      push(session, 20);
      session.flush();
      expect(await session.drained(WAIT_MS)).toBe(true);
      expect(cloud.badSeals).toBe(0);
      await session.close();
    }
    writeFileSync(ringFile, whole);
    const others = [planChannel({ name: "other", eps: 1, min: 0, max: 1 })];
    await expect(open(new Loopback(), { ringFile, channels: others })).rejects.toThrow(/dev\.ring/);
  });

  test("a file that cannot be written ends the session with its name", async () => {
    await expect(open(new Loopback(), { ringFile: folder })).rejects.toThrow(SessionError);
  });
});
