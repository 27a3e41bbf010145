import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HistoryThread } from "./history-thread.ts";
import { KeptStore } from "./kept-store.suite.ts";
import { ScriptedDevice } from "./scripted-device.suite.ts";

const EVER = { fromUs: 0, toUs: 1e16 };
const started: Worker[] = vi.hoisted(() => []);
vi.mock("node:worker_threads", async (original) => {
  const real = await original<typeof import("node:worker_threads")>();
  class KnownWorker extends real.Worker {
    constructor(...options: ConstructorParameters<typeof Worker>) {
      super(...options);
      started.push(this);
    }
  }
  return { ...real, Worker: KnownWorker };
});

let folder = "";
let thread: HistoryThread;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-thread-"));
  const file = join(folder, "store.db");
  const kept = new KeptStore(file);
  const device = new ScriptedDevice({ seed: 3 });
  kept.birth(device);
  for (let i = 0; i < 50; i++) kept.receive(device, i === 0 ? device.keyframe() : device.residual());
  await kept.commit();
  await kept.close();
  started.length = 0;
  thread = new HistoryThread(file);
});

afterEach(async () => {
  await thread.close();
  for (const worker of started) await worker.terminate();
  rmSync(folder, { recursive: true });
});

test("a thread that dies fails what it was asked, and the next question is answered by another", async () => {
  const before = await thread.span("unit");
  const rows = thread.rows("unit", EVER);
  await rows.next();
  const asked = thread.epochs("unit");
  started.at(-1)?.emit("error", new RangeError("out of memory"));
  await expect(asked).rejects.toThrow("out of memory");
  expect(await thread.span("unit")).toEqual(before);
  expect(started).toHaveLength(2);
  // What was half read is not gone on with by somebody else's read.
  const other = thread.rows("unit", EVER);
  expect((await other.next()).done).toBe(false);
  await expect(rows.next()).rejects.toThrow("no read");
  expect(await other.next()).toEqual({ done: true, value: [] });
});

test("more questions than can wait are told so at once; those that wait, and reads under way, are answered", async () => {
  const open = thread.rows("unit", EVER);
  const first = await open.next();
  expect(first.done).toBe(false);
  const answers = await Promise.allSettled(Array.from({ length: 300 }, () => thread.span("unit")));
  expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(256);
  for (const answer of answers.slice(256)) {
    expect(answer).toMatchObject({ status: "rejected", reason: { name: "HistoryError", code: "busy" } });
  }
  const full = Promise.allSettled(Array.from({ length: 256 }, () => thread.span("unit")));
  expect(await open.next()).toEqual({ done: true, value: [] });
  expect((await full).every(({ status }) => status === "fulfilled")).toBe(true);
  expect(await thread.span("unit")).toBeDefined();

  const reads = Array.from({ length: 300 }, () => thread.rows("unit", EVER));
  for (const read of reads.slice(0, 256)) expect((await read.next()).done).toBe(false);
  for (const read of reads.slice(256)) await expect(read.next()).rejects.toMatchObject({ code: "busy" });
  for (const read of reads.slice(0, 256)) await read.return([]);
  expect((await thread.rows("unit", EVER).next()).done).toBe(false);
});
