import { DatabaseSync } from "node:sqlite";
import { openOnSmallDisk } from "@lockstep/cloud-node/fault-testing";
import { afterEach, expect, test } from "vitest";
import { SEED, seededFor } from "./seed.ts";
import { storedFrames } from "./stored-frames.ts";
import { FRAME_SAMPLES, TestBed } from "./test-bed.ts";

/** Pages of SQLite's that something else fills, and that the store has beyond them. */
const BALLAST_BYTES = 400 * 4_096;
const ROOM_PAGES = 12;

let bed: TestBed | undefined;
afterEach(async () => {
  await bed?.close();
  bed = undefined;
});

/** Run one statement beside the node. @returns the pages of the file */
function beside(file: string, sql: string): number {
  const database = new DatabaseSync(file, { timeout: 10_000 });
  try {
    database.exec(sql);
    return Number(database.prepare("PRAGMA page_count").get()?.page_count);
  } finally {
    database.close();
  }
}

test("a full disk acknowledges nothing that is not durable, and all of it when there is room again", async () => {
  const running = new TestBed(SEED, seededFor("a full disk"));
  bed = running;
  await running.startNode();
  await running.node.close();
  const pages = beside(
    running.storeFile,
    `CREATE TABLE ballast (bytes BLOB); INSERT INTO ballast VALUES (zeroblob(${BALLAST_BYTES}))`,
  );
  await running.startNode({}, (options) => openOnSmallDisk(options, pages + ROOM_PAGES));
  const device = await running.device("unit", running.loopback().transport, { ringBytes: 32_768 });

  const isFull = () => (running.node.counters()["store.disk-full"] ?? 0) > 0;
  while (!isFull()) {
    device.take(FRAME_SAMPLES);
    await device.session.settled(8, 100);
  }
  device.take(20 * FRAME_SAMPLES);
  const failures = () => running.node.counters()["store.disk-full"] ?? 0;
  const triedAgainAndAgain = (enough = failures() + 3) =>
    running.until("the commit was tried again and again", () => failures() >= enough);
  // Acknowledgements of the last commit that had room may still be on their way; after them none comes.
  await triedAgainAndAgain();
  const oldest = device.session.stats().oldestSeq;
  await triedAgainAndAgain();
  expect(device.session.stats().oldestSeq).toBe(oldest);
  const durable = framesIn(running.storeFile);
  expect(oldest).toBeLessThanOrEqual(durable);
  expect(durable).toBeGreaterThan(0);
  expect(running.node.device("unit")?.confirmed.seq).toBeLessThanOrEqual(durable);
  expect(running.events.some(({ kind }) => kind === "store-failed")).toBe(true);

  beside(running.storeFile, "DROP TABLE ballast");
  expect(await device.drain()).toBe(true);
  expect(running.node.device("unit")?.confirmed.samples).toBe(device.next);
  const audit = await running.audit("unit");
  expect(audit).toMatchObject({ lostFrames: 0, missingSamples: 0, inventedSamples: 0, gaps: 0 });
  expect(audit.storedSamples).toBe(device.next);
  expect(audit.maxErrorOverEps).toBeLessThanOrEqual(1);
});

test("a node that is closed on a full disk says so, and its devices keep what it could not store", async () => {
  const running = new TestBed(SEED, seededFor("closed on a full disk"));
  bed = running;
  await running.startNode();
  await running.node.close();
  const pages = beside(running.storeFile, "CREATE TABLE ballast (bytes BLOB)");
  await running.startNode({}, (options) => openOnSmallDisk(options, pages + ROOM_PAGES));
  const loopback = running.loopback();
  const device = await running.device("unit", loopback.transport);
  while ((running.node.counters()["store.disk-full"] ?? 0) === 0) {
    device.take(FRAME_SAMPLES);
    await device.session.settled(8, 100);
  }
  await running.node.close();
  expect(device.session.stats().unconfirmedFrames).toBeGreaterThan(0);
  await running.startNode();
  running.node.attach(loopback);
  expect(await device.drain()).toBe(true);
  const audit = await running.audit("unit");
  expect(audit).toMatchObject({ lostFrames: 0, missingSamples: 0, inventedSamples: 0, gaps: 0 });
  expect(audit.storedSamples).toBe(device.next);
});

function framesIn(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const epochs = database.prepare("SELECT device, epoch FROM epochs").all();
    return epochs.flatMap(({ device, epoch }) => storedFrames(database, Number(device), Number(epoch))).length;
  } finally {
    database.close();
  }
}
