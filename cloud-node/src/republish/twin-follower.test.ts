import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DeviceSession, type DeviceSessionOptions, Loopback } from "@lockstep/edge-sdk";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../clock.ts";
import { openHistory } from "../history/history.ts";
import { SILENT_LOGGER } from "../logger.ts";
import { CloudNode } from "../node.ts";
import { EPS, openDevice, SeededRandom, signal } from "../test-device.suite.ts";
import type { SampleSink } from "./publisher.ts";
import type { SampleBatch } from "./sample-batch.ts";
import { TwinFollower, type TwinFollowerOptions } from "./twin-follower.ts";

const LIMIT_MS = 20_000;
const START_US = 1_763_000_000_000_000;

/** Writes down what it is told. */
class Listener implements SampleSink {
  readonly batches: SampleBatch[] = [];
  readonly steps: string[] = [];

  born({ device, epoch, channels }: SampleBatch["facts"]): void {
    this.steps.push(`born ${device} ${epoch} ${channels.map(({ name }) => name)}`);
  }

  gone(device: string): void {
    this.steps.push(`gone ${device}`);
  }

  take(batch: SampleBatch): void {
    this.batches.push(batch);
    if (this.steps.at(-1) !== "samples") this.steps.push("samples");
  }

  get rows(): number {
    return this.batches.reduce((sum, { timesUs }) => sum + timesUs.length, 0);
  }
}

let folder = "";
const closing: (() => unknown)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-follower-"));
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

async function openNode(): Promise<CloudNode> {
  const clock = systemClock();
  const acks = { everyFrames: 1, ageMs: 20 };
  const node = await CloudNode.open({
    storeFile: join(folder, "store.db"),
    broker: null,
    logger: SILENT_LOGGER,
    clock,
    acks,
  });
  closing.push(() => node.close());
  return node;
}

function follow(node: CloudNode, options: Partial<TwinFollowerOptions> = {}) {
  const sink = new Listener();
  const common = { everyMs: 0, samples: "all", extrapolated: false, hasRoom: () => true } as const;
  const follower = new TwinFollower({ node, clock: systemClock(), logger: SILENT_LOGGER, sink, ...common, ...options });
  closing.push(() => follower.close());
  return { follower, sink };
}

async function start(node: CloudNode, options: Partial<DeviceSessionOptions> = {}): Promise<DeviceSession> {
  const loopback = new Loopback();
  node.attach(loopback);
  const session = await openDevice({
    device: "pump",
    transport: loopback.transport,
    random: new SeededRandom(4),
    ...options,
  });
  closing.push(() => session.close());
  return session;
}

async function send(session: DeviceSession, from: number, count: number): Promise<void> {
  const random = new SeededRandom(from + 1);
  for (let n = from; n < from + count; n += 1) session.push(signal(random, n), START_US + n * 10_000);
  session.flush();
  expect(await session.drained(LIMIT_MS)).toBe(true);
}

/** Every stored row was told once, and to the last bit. */
async function expectWhole(batches: readonly SampleBatch[]): Promise<void> {
  const told = new Map<string, number[]>();
  for (const { facts, timesUs, values } of batches) {
    for (const [row, timeUs] of timesUs.entries()) {
      const key = `${facts.epoch} ${timeUs}`;
      expect(told.has(key), key).toBe(false);
      told.set(key, [...values.subarray(row * facts.channels.length, (row + 1) * facts.channels.length)]);
    }
  }
  const history = await openHistory(join(folder, "store.db"));
  const stored = [...history.samples("pump")].map(
    ({ epoch, timeUs, values }) => [`${epoch} ${timeUs}`, [...values]] as const,
  );
  history.close();
  expect(stored.length).toBeGreaterThan(0);
  expect(new Map(stored)).toEqual(told);
}

test("every confirmed sample is told once, between the birth of its device and its death", async () => {
  const node = await openNode();
  const { sink, follower } = follow(node);
  const session = await start(node);
  for (let i = 0; i < 5; i += 1) await send(session, 100 * i, 100);
  await vi.waitFor(() => expect(sink.rows).toBe(500), LIMIT_MS);
  await session.close();
  await vi.waitFor(() => expect(sink.steps.at(-1)).toBe("gone pump"), LIMIT_MS);
  expect(sink.steps).toEqual(["born pump 1 x,y", "samples", "gone pump"]);
  expect(
    sink.batches.every(
      ({ isLate, clock, state, skipped }) => !isLate && clock === "device" && state === "confirmed" && skipped === 0,
    ),
  ).toBe(true);
  expect(sink.batches[0]?.facts.channels[0]).toEqual({ name: "x", unit: "", eps: EPS });
  expect(follower.skipped).toBe(0);
  await expectWhole(sink.batches);
});

test("more than a twin keeps in memory is read from the store, and is late", async () => {
  const node = await openNode();
  const { sink } = follow(node);
  const session = await start(node, { frameSamples: 5_000, ringBytes: 50_000 });
  await send(session, 0, 10_000);
  await vi.waitFor(() => expect(sink.rows).toBe(10_000), LIMIT_MS);
  expect(sink.batches.some(({ isLate }) => isLate)).toBe(true);
  await expectWhole(sink.batches);
});

test("of each device the newest sample is told, and how many were left out", async () => {
  const node = await openNode();
  const { sink, follower } = follow(node, { samples: "newest", everyMs: 50 });
  const session = await start(node);
  for (let i = 0; i < 10; i += 1) await send(session, 100 * i, 100);
  await vi.waitFor(
    () => expect(sink.batches.at(-1)?.timesUs).toEqual(Float64Array.of(START_US + 999 * 10_000)),
    LIMIT_MS,
  );
  const skipped = sink.batches.reduce((sum, batch) => sum + batch.skipped, 0);
  expect(sink.rows + skipped).toBe(1_000);
  expect(follower.skipped).toBe(skipped);
  expect(skipped).toBeGreaterThan(500);
});

test("what a device still held when it was started again is told late, and follows the birth of its next boot", async () => {
  const node = await openNode();
  const { sink } = follow(node);
  const ringFile = join(folder, "ring");
  const loopback = new Loopback();
  const leave = node.attach(loopback);
  const before = await openDevice({
    device: "pump",
    transport: loopback.transport,
    random: new SeededRandom(1),
    ringFile,
  });
  await send(before, 0, 100);
  await vi.waitFor(() => expect(sink.rows).toBe(100), LIMIT_MS);
  leave();
  for (let n = 100; n < 400; n += 1) before.push([n / 100, 1], START_US + n * 10_000);
  await before.close();
  const after = await start(node, { ringFile, random: new SeededRandom(2) });
  await send(after, 400, 200);
  await vi.waitFor(() => expect(sink.rows).toBe(600), LIMIT_MS);
  expect(sink.steps).toContain("born pump 2 x,y");
  for (const { facts, isLate } of sink.batches.filter(({ timesUs }) => (timesUs[0] ?? 0) >= START_US + 1_000_000)) {
    expect(isLate).toBe(facts.epoch === 1);
  }
  await expectWhole(sink.batches);
});

test("who follows later is told what comes, not what was", async () => {
  const node = await openNode();
  const session = await start(node);
  await send(session, 0, 300);
  const { sink } = follow(node);
  await send(session, 300, 100);
  await vi.waitFor(() => expect(sink.rows).toBe(100), LIMIT_MS);
  expect(sink.steps[0]).toBe("born pump 1 x,y");
  expect(sink.batches[0]?.timesUs[0]).toBe(START_US + 300 * 10_000);
});

test("a device that counts from its boot is dated by the node's clock, evenly", async () => {
  const node = await openNode();
  const { sink } = follow(node);
  const session = await start(node);
  for (let n = 0; n < 100; n += 1) session.push([1, 2], 1_000_000 + n * 10_000);
  session.flush();
  const beforeUs = Date.now() * 1_000;
  await vi.waitFor(() => expect(sink.rows).toBe(100), LIMIT_MS);
  const times = sink.batches.flatMap(({ timesUs }) => [...timesUs]);
  expect(sink.batches[0]?.clock).toBe("node");
  expect(Math.abs((times.at(0) ?? 0) - beforeUs)).toBeLessThan(60_000_000);
  expect(times.slice(1).every((timeUs, i) => timeUs - (times[i] ?? 0) === 10_000)).toBe(true);
});

test("what a twin expects is told only where it was asked for, and marked", async () => {
  const node = await openNode();
  const { sink } = follow(node, { extrapolated: true, everyMs: 100 });
  const session = await start(node);
  await send(session, 0, 100);
  await vi.waitFor(() => expect(sink.batches.some(({ state }) => state === "extrapolated")).toBe(true), LIMIT_MS);
  const guess = sink.batches.find(({ state }) => state === "extrapolated");
  expect(guess?.timesUs[0]).toBeGreaterThan(START_US + 99 * 10_000);
  expect(
    sink.batches.filter(({ state }) => state === "confirmed").reduce((sum, { timesUs }) => sum + timesUs.length, 0),
  ).toBe(100);
});
