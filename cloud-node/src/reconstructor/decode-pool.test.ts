import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Counters } from "../counters.ts";
import { ManualClock } from "../manual-clock.suite.ts";
import { CommitQueue } from "../store/commit-queue.ts";
import { SqliteStore } from "../store/sqlite-store.ts";
import { SeededRandom } from "../test-device.suite.ts";
import { automaticThreads, DecodePool } from "./decode-pool.ts";
import { EncodedDevice, type EncodedFrame, testModules } from "./encoded-device.suite.ts";
import { Lane } from "./lane.ts";
import type { LaneReply } from "./lane-surroundings.ts";
import type { NodeEvent } from "./node-event.ts";
import { RowBuffer } from "./row-buffer.ts";

const LIMIT_MS = 20_000;
const DEVICES = 5;
const FRAMES = 120;
let folder = "";
const closing: (() => Promise<void> | void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-pool-"));
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

/** Devices whose lanes share one pool, one queue and one store. */
function setUp(threads: number, name: string) {
  const store = new SqliteStore(join(folder, `${name}.db`));
  const [clock, counters, rows] = [new ManualClock(), new Counters(), new RowBuffer()];
  const commits = new CommitQueue({ store, clock, commitMs: 10, onFailure() {}, onFull() {}, onRoom() {} });
  const ended: boolean[] = [];
  const pressure: string[] = [];
  const pool = new DecodePool({
    threads,
    busyFrames: 0,
    modules: testModules(),
    clock,
    counters,
    onThreadEnd: (_reason, isReplaced) => ended.push(isReplaced),
    onFull: () => pressure.push("full"),
    onRoom: () => pressure.push("room"),
  });
  const events: NodeEvent[] = [];
  const replies: (LaneReply & { readonly device: number })[] = [];
  const devices = Array.from({ length: DEVICES }, (_, i) => new EncodedDevice(i + 1, { device: `unit-${i + 1}` }));
  const lanes = devices.map((device, i) => {
    const plan = device.plan();
    return new Lane(device.epoch, {
      device: device.birth.device,
      key: i + 1,
      plans: (hash) => (hash === plan.hash ? plan : undefined),
      rows,
      commits,
      decoding: pool,
      clock,
      acks: { everyFrames: 1_000_000, ageMs: 1_000_000 },
      counters,
      reply: (reply) => replies.push({ ...reply, device: i + 1 }),
      refuse() {},
      emit: (event) => events.push(event),
    });
  });
  closing.push(
    () => store.close(),
    () => pool.close(),
  );
  return { store, clock, counters, commits, pool, lanes, devices, events, replies, ended, pressure };
}

type SetUp = ReturnType<typeof setUp>;

const idle = (pool: DecodePool): Promise<void> =>
  vi.waitFor(() => expect(pool.waiting).toBe(0), { timeout: LIMIT_MS, interval: 1 });

/** Frames of all devices as a bad network brings them: some late, some twice, some damaged first. */
function traffic(
  devices: readonly EncodedDevice[],
  seed: number,
): { readonly at: number; readonly frame: EncodedFrame }[] {
  const random = new SeededRandom(seed);
  const sent = devices.flatMap((device, at) =>
    device.frames(FRAMES).flatMap((frame, i) => {
      const place = i + (random.below(4) === 0 ? random.below(6) : 0);
      const whole = { at, frame, place: place + random.below(100) / 1_000 };
      const extra = random.below(10);
      if (extra === 0) return [whole, { ...whole, place: whole.place + 3 }];
      return extra === 1 ? [{ ...whole, frame: damaged(frame), place: whole.place - 0.5 }, whole] : [whole];
    }),
  );
  return sent.sort((a, b) => a.place - b.place || a.at - b.at);
}

function damaged({ seq, frame, bytes }: EncodedFrame): EncodedFrame {
  const copy = bytes.slice();
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return { seq, frame: { ...frame, seal: (frame.seal ^ 1) >>> 0 }, bytes: copy, samples: [] };
}

/** Hand all over without waiting, then again what was damaged or came in a damaged one's place, then commit. */
async function play(rig: SetUp, seed: number): Promise<void> {
  const { lanes, clock, devices } = rig;
  const sent = traffic(devices, seed);
  for (const { at, frame } of sent) lanes[at]?.receive(frame.seq, frame.frame, frame.bytes, clock.nowMs());
  await settle(rig, sent);
}

async function settle({ lanes, pool, commits, clock }: SetUp, sent: ReturnType<typeof traffic>): Promise<void> {
  await idle(pool);
  clock.advance(1_000);
  const whole = sent.filter(({ frame }) => frame.samples.length > 0).sort((a, b) => a.frame.seq - b.frame.seq);
  for (const { at, frame } of whole) lanes[at]?.receive(frame.seq, frame.frame, frame.bytes, clock.nowMs());
  await idle(pool);
  await commits.flush();
}

/** All that can be told apart of a run, by device. */
function outcome({ lanes, store, events, counters }: SetUp) {
  return lanes.map((lane, i) => ({
    next: lane.twin.next,
    counts: lane.twin.counts,
    stateHash: lane.twin.stateHash,
    snapshot: lane.twin.snapshot(),
    confirmed: lane.confirmed,
    recent: [0, 1].map((channel) => lane.ledger.recent.of(channel, 2_048)),
    frames: [...store.reader.frames(i + 1, 1, 0)].map(({ seq, bytes }) => [seq, ...bytes]),
    // How many commits it took is a matter of time.
    events: events.filter(({ kind }) => kind !== "confirmed").filter((event) => isOf(event, `unit-${i + 1}`)),
    counters: counters.all(),
  }));
}

function isOf(event: NodeEvent, device: string): boolean {
  return "device" in event && event.device === device;
}

test.for([1, 3])("%i threads come to the same as none, bit for bit, whatever order frames come in", async (threads) => {
  const [alone, threaded] = [setUp(0, "alone"), setUp(threads, "threaded")];
  await play(alone, 7);
  await play(threaded, 7);
  expect(alone.lanes.map(({ confirmed }) => confirmed)).toEqual(Array.from({ length: DEVICES }, () => FRAMES));
  expect(threaded.pool.running).toBe(threads);
  expect(outcome(threaded)).toEqual(outcome(alone));
});

test("a device's frames are committed in their order, with any number of threads", async () => {
  const rig = setUp(2, "order");
  const committed: [number, number][] = [];
  const frame = rig.commits.frame.bind(rig.commits);
  vi.spyOn(rig.commits, "frame").mockImplementation((owner, op, key, seq, bytes) => {
    if (op === "add") committed.push([key.device, seq]);
    frame(owner, op, key, seq, bytes);
  });
  await play(rig, 11);
  for (let device = 1; device <= DEVICES; device += 1) {
    const seqs = committed.filter(([key]) => key === device).map(([, seq]) => seq);
    expect(seqs).toEqual(Array.from({ length: FRAMES }, (_, seq) => seq));
  }
});

test("a thread that dies with frames loses none of them, is counted, and is made again", async () => {
  const [alone, rig] = [setUp(0, "alone"), setUp(2, "dying")];
  await play(alone, 7);
  const frames = traffic(rig.devices, 7);
  for (const [i, { at, frame }] of frames.entries()) {
    rig.lanes[at]?.receive(frame.seq, frame.frame, frame.bytes, rig.clock.nowMs());
    if (i === frames.length >> 1) await rig.pool.failThread(1);
  }
  expect(rig.pool.waiting).toBeGreaterThan(0);
  await rig.pool.failThread(0);
  await settle(rig, frames);
  await vi.waitFor(() => expect(rig.ended).toEqual([true, true]), LIMIT_MS);
  expect(rig.pool.running).toBe(2);
  expect(rig.counters.get("threads.ended")).toBe(2);
  const without = (all: ReturnType<typeof outcome>) => all.map(({ counters: _, ...rest }) => rest);
  expect(without(outcome(rig))).toEqual(without(outcome(alone)));
});

test("where threads die again and again the node decodes by itself", async () => {
  const rig = setUp(1, "dying");
  for (let i = 0; i < 6; i += 1) {
    await rig.pool.failThread(0);
    await vi.waitFor(() => expect(rig.ended.length).toBe(i + 1), LIMIT_MS);
  }
  expect(rig.ended).toEqual([true, true, true, true, true, false]);
  expect(rig.pool.running).toBe(0);
  await play(rig, 3);
  expect(rig.lanes.map(({ confirmed }) => confirmed)).toEqual(Array.from({ length: DEVICES }, () => FRAMES));
});

test("frames that wait behind one with a thread hold devices back as well", async () => {
  const rig = setUp(1, "behind");
  const frames = rig.devices[0]?.frames(2_001) ?? [];
  for (const { seq, frame, bytes } of frames) rig.lanes[0]?.receive(seq, frame, bytes, rig.clock.nowMs());
  // The keyframe is decoded here, so the threads have one of them.
  expect(rig.pool.waiting).toBe(2_000);
  expect(rig.pressure).toEqual(["full"]);
  await idle(rig.pool);
  expect(rig.pressure).toEqual(["full", "room"]);
  expect(rig.lanes[0]?.twin.next).toBe(2_001);
});

test("what threads have when a node ends is decoded before it says so", async () => {
  const rig = setUp(2, "closing");
  const frames = rig.devices[0]?.frames(40) ?? [];
  for (const { seq, frame, bytes } of frames) rig.lanes[0]?.receive(seq, frame, bytes, rig.clock.nowMs());
  expect(rig.lanes[0]?.twin.next).toBeLessThan(40);
  rig.pool.close();
  expect(rig.lanes[0]?.twin.next).toBe(40);
});

test("an answer that comes after a node ended its threads is left alone", async () => {
  const workers: Worker[] = [];
  const started = (worker: Worker) => void workers.push(worker);
  process.on("worker", started);
  const rig = setUp(1, "answered");
  await setImmediate();
  process.off("worker", started);
  const frames = rig.devices[0]?.frames(40) ?? [];
  for (const { seq, frame, bytes } of frames) rig.lanes[0]?.receive(seq, frame, bytes, rig.clock.nowMs());
  await setImmediate();
  rig.pool.close();
  const none = { fields: [], samples: [], statuses: [], states: [] };
  // The store's began first.
  workers[1]?.emit("message", { results: none });
  expect(workers.length).toBe(2);
  expect(rig.lanes[0]?.twin.next).toBe(40);
});

test("a few frames are decoded at once, and only many go to threads", async () => {
  const [clock, counters] = [new ManualClock(), new Counters()];
  const options = { modules: testModules(), clock, counters, onThreadEnd() {}, onFull() {}, onRoom() {} };
  const pool = new DecodePool({ threads: 1, busyFrames: 3, ...options });
  closing.push(() => pool.close());
  const device = new EncodedDevice(1);
  const { Twin } = await import("./twin.ts");
  const plan = device.plan();
  const twin = new Twin("unit", 1, () => plan, new RowBuffer());
  const first = device.keyframe();
  expect(twin.take(first.frame, first.bytes)).toBe("taken");
  const take = () => {
    const { frame, bytes } = device.residual();
    return new Promise((resolve) => {
      const outcome = pool.take(twin, 1, frame, bytes, (later) => resolve(`later ${later}`));
      if (outcome !== undefined) resolve(outcome);
    });
  };
  for (let i = 0; i < 3; i += 1) expect(await take()).toBe("taken");
  expect(await take()).toBe("later taken");
  clock.advance(200);
  expect(await take()).toBe("later taken");
  clock.advance(200);
  expect(await take()).toBe("taken");
});

test("a machine with few cores gets no threads, one with many not all of them", () => {
  expect([1, 2, 3, 4, 8, 64].map(automaticThreads)).toEqual([0, 0, 0, 2, 6, 8]);
});
