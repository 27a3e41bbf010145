import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { openHistory } from "@lockstep/cloud-node";
import { planChannel } from "@lockstep/edge-sdk";
import { afterEach, expect, test } from "vitest";
import { SEED, seededFor } from "./seed.ts";
import { FRAME_SAMPLES, module, TestBed, type TestDevice } from "./test-bed.ts";
import { EPS, sampleAtTime, truthAt } from "./truth.ts";

/** Samples between the first ones of two boots. */
const BOOT = 1_000_000;
const BATCH = 20 * FRAME_SAMPLES;
const HOUR_US = 3_600_000_000;
const REFUSED_UNKNOWN_MODEL = 2;

let bed: TestBed | undefined;
afterEach(async () => {
  await bed?.close();
  bed = undefined;
});

async function newBed(purpose: string): Promise<TestBed> {
  bed = new TestBed(SEED, seededFor(purpose));
  await bed.startNode();
  return bed;
}

async function takeAndDrain(device: TestDevice, count = BATCH): Promise<void> {
  device.take(count);
  expect(await device.drain()).toBe(true);
}

const epochsOf = async (running: TestBed, id: string) => {
  const history = await openHistory(running.storeFile);
  const epochs = history.epochs(id).map(({ epoch, nonce }) => ({ epoch, nonce }));
  history.close();
  return epochs;
};

/** Everything that was taken is stored once, each boot in an epoch of its own. */
async function expectAllStored(running: TestBed, epochs: number, samples: number): Promise<void> {
  const stored = await epochsOf(running, "unit");
  expect(stored.length).toBe(epochs);
  expect(new Set(stored.map(({ nonce }) => nonce)).size).toBe(epochs);
  expect(running.node.counters()["frames.conflict"] ?? 0).toBe(0);
  const audit = await running.audit("unit");
  expect(audit).toMatchObject({ lostFrames: 0, missingSamples: 0, inventedSamples: 0, gaps: 0 });
  expect(audit.storedSamples).toBe(samples);
  expect(audit.maxErrorOverEps).toBeLessThanOrEqual(1);
  expect(audit.reference.every(({ seqs, next, badSeals }) => seqs.size === next && badSeals === 0)).toBe(true);
}

test("a device that remembers no epoch gets a new one at every boot, and no boot's rows cover another's", async () => {
  const running = await newBed("no epoch counter");
  for (let boot = 0; boot < 5; boot += 1) {
    const device = await running.device("unit", running.loopback().transport, { firstSample: boot * BOOT });
    await takeAndDrain(device);
    await device.session.destroy();
  }
  await expectAllStored(running, 5, 5 * BATCH);
});

test("an epoch counter that went back, with the ring of an earlier day, takes nobody's place", async () => {
  const running = await newBed("an epoch counter that went back");
  const ringFile = join(running.folder, "ring");
  const backup = join(running.folder, "ring of yesterday");
  const boot = async (n: number) =>
    running.device("unit", running.loopback().transport, { ringFile, firstSample: n * BOOT });
  const first = await boot(0);
  await takeAndDrain(first);
  // Frames that are in the copy, and are confirmed before it is put back.
  first.take(BATCH);
  copyFileSync(ringFile, backup);
  expect(await first.drain()).toBe(true);
  await first.session.destroy();
  for (const n of [1, 2]) {
    const next = await boot(n);
    await takeAndDrain(next);
    await next.session.destroy();
  }
  copyFileSync(backup, ringFile);
  const last = await boot(3);
  expect(last.session.stats().adoptedFrames).toBeGreaterThan(0);
  await takeAndDrain(last);
  expect(last.session.stats().epoch).toBe(4);
  expect(running.node.counters()["frames.duplicate"]).toBeGreaterThan(0);
  await expectAllStored(running, 4, 5 * BATCH);
});

test("two devices of one name never mix, and the one that stays is heard out", async () => {
  const running = await newBed("a clone");
  const original = await running.device("unit", running.loopback().transport);
  await takeAndDrain(original);
  const clone = await running.device("unit", running.loopback().transport, { firstSample: BOOT });
  await takeAndDrain(clone);
  for (let round = 0; round < 10; round += 1) {
    original.take(BATCH / 10);
    clone.take(BATCH / 10);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(await clone.drain()).toBe(true);
  await clone.session.close();
  expect(await original.drain()).toBe(true);
  await expectAllStored(running, 2, 4 * BATCH);
});

test("a node whose store is gone declares what it no longer has, and goes on", async () => {
  const running = await newBed("an empty store");
  const loopback = running.loopback();
  const device = await running.device("unit", loopback.transport);
  await takeAndDrain(device);
  const confirmedBefore = running.node.device("unit")?.confirmed.seq ?? 0;
  await running.node.close();
  running.storeFile = join(running.folder, "another.db");
  await running.startNode();
  running.node.attach(loopback);
  const takenBefore = device.next;
  for (let round = 0; round < 5; round += 1) await takeAndDrain(device, BATCH / 2);
  const view = running.node.device("unit");
  const audit = await running.audit("unit");
  expect(audit).toMatchObject({ undeclaredFrames: 0, inventedSamples: 0, gaps: 1 });
  expect(audit.lostFrames).toBeGreaterThanOrEqual(confirmedBefore);
  // A segment that had begun before is of no use; the one after it is.
  expect(audit.storedSamples).toBeGreaterThanOrEqual(device.next - takenBefore - BATCH);
  expect(view?.confirmed.samples).toBe(audit.storedSamples);
  expect(audit.maxErrorOverEps).toBeLessThanOrEqual(1);
});

test.for([HOUR_US, -HOUR_US])("a device whose clock jumps by %d µs loses no sample and invents none", async (byUs) => {
  const running = await newBed(`a clock that jumps by ${byUs} µs`);
  const loopback = running.loopback();
  const device = await running.device("unit", loopback.transport, { ringBytes: 8_192 });
  await takeAndDrain(device);
  device.clockErrorUs = byUs;
  await takeAndDrain(device);
  // And once with frames dropped around the jump back.
  loopback.drop("offline");
  device.take(40_000);
  device.clockErrorUs = 0;
  device.take(BATCH);
  running.node.attach(loopback);
  expect(await device.drain()).toBe(true);
  const { evictedSamples } = device.session.stats();
  expect(evictedSamples).toBeGreaterThan(0);
  expect(running.node.device("unit")?.confirmed.samples).toBe(device.next - evictedSamples);
  await running.node.close();
  const history = await openHistory(running.storeFile);
  expect(history.gaps("unit").length).toBe(1);
  // Times jump, but the order tells: the first ones taken, and after the gap the last ones.
  const stored = [...history.samples("unit")];
  history.close();
  expect(stored.length).toBe(device.next - evictedSamples);
  for (const [i, { values }] of stored.entries()) {
    const n = i < 2 * BATCH ? i : i + evictedSamples;
    for (const [c, truth] of truthAt(SEED, 0, n).entries()) {
      expect(Math.abs((values[c] ?? Number.NaN) - truth)).toBeLessThanOrEqual(EPS);
    }
  }
});

test("a device with a module that nobody registered is refused by name, and keeps its samples", async () => {
  const running = await newBed("an unknown module");
  const stranger = { model: module.model.map((byte) => byte ^ 0xff), instantiate: () => module.instantiate() };
  const device = await running.device("unit", running.loopback().transport, { module: stranger });
  device.take(BATCH);
  device.session.flush();
  await running.until("refused", () => device.session.stats().refusal === REFUSED_UNKNOWN_MODEL);
  expect(running.events).toContainEqual({ kind: "refused", device: "unit", reason: "unknown-model" });
  expect(device.session.stats()).toMatchObject({ phase: "greeting", evictedSamples: 0 });
  expect(device.session.stats().unconfirmedFrames).toBeGreaterThanOrEqual(BATCH / FRAME_SAMPLES);
  expect(running.node.device("unit")).toBeUndefined();
  expect(running.node.counters()["refused.unknown-model"]).toBeGreaterThan(0);
});

test("a device that changes its birth between boots has each boot decoded by its own", async () => {
  const running = await newBed("a changed birth");
  const fine = EPS / 10;
  const channels = ["x", "y"].map((name) => planChannel({ name, eps: fine, min: -4, max: 4 }));
  const first = await running.device("unit", running.loopback().transport);
  await takeAndDrain(first);
  await first.session.destroy();
  const second = await running.device("unit", running.loopback().transport, { firstSample: BOOT, channels });
  await takeAndDrain(second);
  await second.session.destroy();
  const third = await running.device("unit", running.loopback().transport, { firstSample: 2 * BOOT });
  await takeAndDrain(third);
  await expectAllStored(running, 3, 3 * BATCH);
  const history = await openHistory(running.storeFile);
  let largest = 0;
  for (const { timeUs, values } of history.samples("unit", { epoch: 2 })) {
    const truth = truthAt(SEED, 0, sampleAtTime(timeUs));
    for (const [c, value] of values.entries()) largest = Math.max(largest, Math.abs(value - (truth[c] ?? Number.NaN)));
  }
  history.close();
  expect(largest).toBeLessThanOrEqual(fine);
  expect(largest).toBeGreaterThan(0);
});

test("frames that wait in a ring are not thrown away for a new configuration: the boot is refused by name", async () => {
  const running = await newBed("a ring of another birth");
  const ringFile = join(running.folder, "ring");
  const channels = ["x", "y"].map((name) => planChannel({ name, eps: 2 * EPS, min: -4, max: 4 }));
  const loopback = running.loopback();
  const device = await running.device("unit", loopback.transport, { ringFile });
  await takeAndDrain(device);
  loopback.drop("offline");
  device.take(BATCH);
  await device.session.destroy();
  const refused = running.device("unit", running.loopback().transport, { ringFile, channels });
  await expect(refused).rejects.toMatchObject({ code: "ring-foreign" });
  const again = await running.device("unit", running.loopback().transport, { ringFile, firstSample: BOOT });
  await takeAndDrain(again);
  await expectAllStored(running, 2, 3 * BATCH);
});
