import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Counters } from "../counters.ts";
import { ManualClock } from "../manual-clock.suite.ts";
import { CommitQueue } from "../store/commit-queue.ts";
import { HeldStore } from "../store/held-store.suite.ts";
import { SqliteStore } from "../store/sqlite-store.ts";
import { StoreError } from "../store/store-error.ts";
import { SeededRandom } from "../test-device.suite.ts";
import { GRACE_MS } from "./arrival-window.ts";
import { EncodedDevice, type EncodedFrame } from "./encoded-device.suite.ts";
import { Lane } from "./lane.ts";
import type { LaneReply } from "./lane-surroundings.ts";
import type { NodeEvent } from "./node-event.ts";
import { RowBuffer } from "./row-buffer.ts";

const KEY = 1;
const ACKS = { everyFrames: 4, ageMs: 1_000 };
let folder = "";
let sqlite: SqliteStore | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-lane-"));
});

afterEach(async () => {
  await sqlite?.close();
  sqlite = undefined;
  rmSync(folder, { recursive: true });
});

function setUp(device: EncodedDevice) {
  sqlite ??= new SqliteStore(join(folder, "store.db"));
  const store = new HeldStore(sqlite);
  const clock = new ManualClock();
  const counters = new Counters();
  const replies: LaneReply[] = [];
  const events: NodeEvent[] = [];
  const refusals: string[] = [];
  const commits = new CommitQueue({
    store,
    clock,
    commitMs: 10,
    onFailure: () => {},
    onFull: () => {},
    onRoom: () => {},
  });
  const plan = device.plan();
  const newLane = () =>
    new Lane(device.epoch, {
      device: "unit",
      key: KEY,
      plans: (hash) => (hash === plan.hash ? plan : undefined),
      rows: new RowBuffer(),
      commits,
      clock,
      acks: ACKS,
      counters,
      reply: (reply) => replies.push(reply),
      refuse: (reason) => refusals.push(reason),
      emit: (event) => events.push(event),
    });
  const lane = newLane();
  return {
    lane,
    newLane,
    store,
    sqlite,
    clock,
    counters,
    replies,
    events,
    refusals,
    receive: ({ seq, frame, bytes }: EncodedFrame) => lane.receive(seq, frame, bytes, clock.nowMs()),
    commit: async () => {
      clock.advance(10);
      await (await store.next()).succeed();
    },
    acks: () => replies.filter((reply) => reply.kind === "ack"),
  };
}

const damaged = ({ seq, frame, bytes }: EncodedFrame, at = -1): EncodedFrame => {
  const copy = bytes.slice();
  const index = (at + copy.length) % copy.length;
  copy[index] = (copy[index] ?? 0) ^ 1;
  // Only the seal's last bit differs, so that the frame still reads as what it was.
  return { seq, frame: { ...frame, seal: (frame.seal ^ 1) >>> 0 }, bytes: copy, samples: [] };
};

const status = (device: EncodedDevice, oldest: number, next: number, evicted = 0) => ({
  kind: "status" as const,
  nonce: 77,
  epoch: device.epoch,
  oldest,
  next,
  evicted,
  ringFill: 100,
  timeUs: 0,
});

test("a frame is never acknowledged before its commit", async () => {
  const device = new EncodedDevice(1);
  const { lane, clock, store, receive, replies, acks } = setUp(device);
  for (const frame of device.frames(8)) receive(frame);
  clock.advance(10);
  const commit = await store.next();
  clock.advance(60_000);
  expect(replies).toEqual([]);
  expect(lane.confirmed).toBe(0);
  expect(lane.ledger.recent.newest()).toBeUndefined();
  await commit.succeed();
  expect(acks()).toEqual([{ kind: "ack", epoch: 1, through: 8, missing: [] }]);
  expect(lane.confirmed).toBe(8);
});

test("a commit that fails acknowledges nothing, and the frames are acknowledged when it succeeds at last", async () => {
  const device = new EncodedDevice(2);
  const { lane, clock, store, receive, replies, acks } = setUp(device);
  for (const frame of device.frames(5)) receive(frame);
  clock.advance(10);
  await (await store.next()).fail(new StoreError("disk-full", { file: "", detail: "" }));
  clock.advance(90);
  expect(replies).toEqual([]);
  clock.advance(10);
  await (await store.next()).succeed();
  expect(acks().at(-1)).toMatchObject({ through: 5 });
  expect(lane.confirmed).toBe(5);
});

test("acknowledgements are rare: by count, and by the age of the first frame not acknowledged", async () => {
  const device = new EncodedDevice(3);
  const { clock, receive, commit, acks } = setUp(device);
  const frames = device.frames(20);
  for (const frame of frames.slice(0, 3)) {
    receive(frame);
    await commit();
  }
  expect(acks()).toEqual([]);
  clock.advance(ACKS.ageMs);
  expect(acks()).toMatchObject([{ through: 3 }]);
  for (const frame of frames.slice(3, 11)) {
    receive(frame);
    await commit();
  }
  expect(acks().map(({ through }) => through)).toEqual([3, 7, 11]);
});

test("a status is answered at once", async () => {
  const device = new EncodedDevice(4);
  const { lane, clock, receive, commit, acks } = setUp(device);
  lane.status(status(device, 0, 0), clock.nowMs());
  expect(acks()).toMatchObject([{ through: 0 }]);
  for (const frame of device.frames(2)) receive(frame);
  lane.status(status(device, 0, 2), clock.nowMs());
  expect(acks().length).toBe(1);
  await commit();
  expect(acks().at(-1)).toMatchObject({ through: 2 });
});

test("a lost frame is asked for after the grace, and decoding goes on where it stopped", async () => {
  const device = new EncodedDevice(5);
  const { lane, clock, receive, commit, acks, events } = setUp(device);
  const frames = device.frames(8);
  for (const frame of frames) if (frame.seq !== 2 && frame.seq !== 5) receive(frame);
  expect(lane.twin.next).toBe(2);
  clock.advance(GRACE_MS - 11);
  expect(acks()).toEqual([]);
  clock.advance(11);
  expect(acks()).toMatchObject([
    {
      through: 0,
      missing: [
        { from: 2, count: 1 },
        { from: 5, count: 1 },
      ],
    },
  ]);
  expect(events.filter(({ kind }) => kind === "gap-pending").length).toBe(2);
  for (const seq of [5, 2]) receive(frames[seq] ?? device.keyframe());
  expect(lane.twin.next).toBe(8);
  await commit();
  await commit().catch(() => {});
  expect(lane.ledger.gaps).toBe(0);
});

test("a damaged frame is asked for again, and taken when it comes whole", () => {
  const device = new EncodedDevice(6);
  const { lane, clock, receive, acks, counters } = setUp(device);
  const [first, second, third] = device.frames(3);
  if (first === undefined || second === undefined || third === undefined) throw new RangeError("three frames");
  receive(first);
  receive(damaged(second));
  receive(third);
  expect(lane.twin.next).toBe(1);
  clock.advance(1);
  expect(acks()).toMatchObject([{ missing: [{ from: 1, count: 1 }] }]);
  receive(second);
  expect(lane.twin.next).toBe(3);
  expect(counters.get("frames.state-mismatch")).toBe(1);
});

test("copies of one damaged frame are no answer to the question for it, and lose nothing", () => {
  const device = new EncodedDevice(7);
  const { lane, receive, replies } = setUp(device);
  const [first, second] = device.frames(2);
  if (first === undefined || second === undefined) throw new RangeError("two frames");
  receive(first);
  for (let copy = 0; copy < 5; copy++) receive(damaged(second));
  expect(replies.filter(({ kind }) => kind === "resync")).toEqual([]);
  receive(second);
  expect(lane.twin.next).toBe(2);
});

test("when the answer is the same damaged bytes a resync is asked for, and what is lost is declared to the sample", async () => {
  const device = new EncodedDevice(8);
  const { lane, clock, receive, commit, replies, events, sqlite: store } = setUp(device);
  const frames = [
    device.keyframe(),
    device.residual(),
    device.residual(),
    device.residual(),
    device.keyframe(),
    device.residual(),
  ];
  const [first, second, ...rest] = frames;
  if (first === undefined || second === undefined) throw new RangeError("frames");
  receive(first);
  receive(damaged(second));
  clock.advance(GRACE_MS + 1);
  receive(damaged(second));
  expect(replies.at(-1)).toEqual({ kind: "resync", epoch: 1, seq: 1, reason: "state-mismatch" });
  expect(lane.isInGap).toBe(true);
  for (const frame of rest) receive(frame);
  expect(lane.isInGap).toBe(false);
  expect(lane.twin.next).toBe(6);
  expect(lane.twin.counts).toMatchObject({ samples: 30, lost: 30 });
  expect(events).toContainEqual({
    kind: "gap-lost",
    device: "unit",
    epoch: 1,
    from: 1,
    through: 3,
    samples: 30,
    reason: "state-mismatch",
  });
  await commit();
  if (lane.confirmed < 6) await commit();
  expect(lane.confirmed).toBe(6);
  const times = { fromUs: 10_000, toUs: 40_000 };
  const gap = { epoch: 1, from: 1, through: 3, reason: "state-mismatch", samples: 30, times };
  expect(store.reader.gaps(KEY)).toEqual([gap]);
});

test("what a full ring dropped is declared once, with its samples, and the rest goes on", async () => {
  const device = new EncodedDevice(9);
  const { lane, clock, receive, commit, acks, sqlite: store } = setUp(device);
  const first = [device.keyframe(), device.residual()];
  for (const frame of first) receive(frame);
  const dropped = Array.from({ length: 40 }, () => device.residual());
  const rest = [device.keyframe(), device.residual()];
  // One of those that are no longer in the ring had come out of order, and cannot be of use.
  const [, , stray] = dropped;
  if (stray !== undefined) receive(stray);
  lane.status(status(device, 42, 44, 400), clock.nowMs());
  for (const frame of rest) receive(frame);
  expect(lane.twin.next).toBe(44);
  while (lane.confirmed < 44) await commit();
  expect(acks().at(-1)?.through).toBeGreaterThanOrEqual(42);
  const times = { fromUs: 20_000, toUs: 420_000 };
  expect(store.reader.gaps(KEY)).toEqual([{ epoch: 1, from: 2, through: 41, reason: "evicted", samples: 400, times }]);
  expect(lane.twin.counts.lost).toBe(400);
});

test("a node that lost what it had confirmed declares so, and asks for a keyframe until one comes", async () => {
  const device = new EncodedDevice(17);
  const { lane, clock, receive, commit, replies, sqlite: store } = setUp(device);
  const frames = [device.keyframe(), ...Array.from({ length: 40 }, () => device.residual())];
  // The device holds nothing below 20 any more: an earlier store had confirmed it.
  lane.status(status(device, 20, 22), clock.nowMs());
  for (const frame of frames.slice(20, 22)) receive(frame);
  const resyncs = () => replies.filter(({ kind }) => kind === "resync");
  expect(resyncs()).toEqual([{ kind: "resync", epoch: 1, seq: 20, reason: "frames-lost" }]);
  clock.advance(1_000);
  for (const frame of frames.slice(22)) receive(frame);
  expect(resyncs().slice(1)).toEqual([{ kind: "resync", epoch: 1, seq: 22, reason: "frames-lost" }]);
  receive(device.keyframe());
  expect(lane.isInGap).toBe(false);
  while (lane.confirmed < 42) await commit();
  expect(store.reader.gaps(KEY)).toMatchObject([{ from: 0, through: 40, reason: "evicted" }]);
  expect(lane.twin.counts.samples).toBe(10);
});

test("the same frame again is counted, and answered with an acknowledgement", async () => {
  const device = new EncodedDevice(10);
  const { lane, clock, receive, commit, acks, counters } = setUp(device);
  const frames = device.frames(3);
  for (const frame of frames) receive(frame);
  await commit();
  clock.advance(ACKS.ageMs);
  expect(acks().length).toBe(1);
  for (const frame of frames) receive(frame);
  await commit();
  clock.advance(GRACE_MS);
  expect(acks().length).toBe(2);
  expect(counters.get("frames.duplicate")).toBe(3);
  expect(lane.confirmed).toBe(3);
});

test("other bytes under a stored key are a conflict: told, never stored, and nothing else changes", async () => {
  const device = new EncodedDevice(11);
  const { lane, clock, receive, commit, acks, events, sqlite: store } = setUp(device);
  const frames = device.frames(4);
  for (const frame of frames) receive(frame);
  await commit();
  const before = [...store.reader.frames(KEY, 1, 0)];
  const other = new EncodedDevice(12);
  for (const frame of other.frames(4)) receive(frame);
  await commit();
  clock.advance(60_000);
  expect(events.filter(({ kind }) => kind === "conflict").length).toBe(4);
  expect(lane.ledger.conflicts).toBe(4);
  expect([...store.reader.frames(KEY, 1, 0)]).toEqual(before);
  expect(acks().length).toBe(1);
  const fifth = device.residual();
  receive(fifth);
  await commit();
  expect(lane.confirmed).toBe(5);
});

test("what somebody else stored under a key is never confirmed for what was decoded", async () => {
  const device = new EncodedDevice(13);
  const { lane, store, clock, receive, refusals, acks } = setUp(device);
  for (const frame of device.frames(4)) receive(frame);
  clock.advance(10);
  const commit = await store.next();
  const other = new EncodedDevice(14);
  const [, , third] = other.frames(3);
  const { BatchBuilder } = await import("../store/batch-builder.ts");
  const foreign = new BatchBuilder();
  foreign.addFrame("add", KEY, 1, 2, third?.bytes ?? new Uint8Array(0));
  await sqlite?.commit(foreign.build());
  await commit.succeed();
  expect(lane.confirmed).toBe(2);
  expect(refusals).toEqual(["conflict"]);
  clock.advance(60_000);
  expect(acks().every(({ through }) => through <= 2)).toBe(true);
});

test("a lane rebuilt from the store is the live one bit for bit, wherever the store ended", async () => {
  const device = new EncodedDevice(15);
  const { lane, newLane, receive, commit, sqlite: store } = setUp(device);
  for (let round = 0; round < 12; round++) {
    for (const frame of device.frames(53)) receive(frame);
    await commit();
    const rebuilt = newLane();
    rebuilt.rebuild(store.reader);
    expect(rebuilt.confirmed).toBe(lane.confirmed);
    expect(rebuilt.twin.snapshot()).toEqual(lane.twin.snapshot());
    expect(rebuilt.twin.counts).toEqual(lane.twin.counts);
    expect(rebuilt.ledger.recent.newest()).toEqual(lane.ledger.recent.newest());
  }
  expect(store.reader.snapshot(KEY, 1)?.seq).toBeGreaterThan(300);
});

test("a lane rebuilt inside a gap still waits for the keyframe, and counts the gap once", async () => {
  const device = new EncodedDevice(16);
  const { lane, newLane, clock, receive, commit, sqlite: store } = setUp(device);
  for (const frame of [device.keyframe(), device.residual()]) receive(frame);
  for (let lost = 0; lost < 5; lost++) device.residual();
  lane.status(status(device, 7, 7, 50), clock.nowMs());
  await commit();
  const rebuilt = newLane();
  rebuilt.rebuild(store.reader);
  expect(rebuilt.isInGap).toBe(true);
  expect(rebuilt.confirmed).toBe(7);
  const { seq, frame, bytes } = device.keyframe();
  rebuilt.receive(seq, frame, bytes, clock.nowMs());
  expect(rebuilt.twin.counts).toMatchObject({ samples: 30, lost: 50 });
  await commit();
  const times = { fromUs: 20_000, toUs: 70_000 };
  expect(store.reader.gaps(KEY)).toEqual([{ epoch: 1, from: 2, through: 6, reason: "evicted", samples: 50, times }]);
  const again = newLane();
  again.rebuild(store.reader);
  expect(again.isInGap).toBe(false);
  expect(again.twin.snapshot()).toEqual(rebuilt.twin.snapshot());
});

for (const seed of [1, 2, 3, 4, 5]) {
  test(`frames that come lost, twice, damaged and out of order make the twin of those that came well (seed ${seed})`, async () => {
    const device = new EncodedDevice(20 + seed);
    const { lane, newLane, clock, store, receive, replies, sqlite: real } = setUp(device);
    const random = new SeededRandom(seed);
    const frames = device.frames(400);
    const late: EncodedFrame[] = [];
    const send = (frame: EncodedFrame) => {
      const fate = random.below(100);
      if (fate < 20) return;
      if (fate < 30) late.push(frame);
      else if (fate < 35) receive(damaged(frame, -1));
      else receive(frame);
      if (fate > 95) receive(frame);
    };
    const pump = async () => {
      clock.advance(10);
      while (store.pending > 0) await (await store.next()).succeed();
      const asked = replies.splice(0).flatMap((reply) => (reply.kind === "ack" ? reply.missing : []));
      for (const { from, count } of asked) for (const frame of frames.slice(from, from + count)) send(frame);
      for (const frame of late.splice(0)) receive(frame);
    };
    for (const [i, frame] of frames.entries()) {
      send(frame);
      if (i % 7 === 0) await pump();
    }
    for (let round = 0; lane.confirmed < 400 && round < 5_000; round++) {
      if (round % 100 === 0) lane.status(status(device, lane.confirmed, 400), clock.nowMs());
      await pump();
    }
    expect(lane.confirmed).toBe(400);
    expect(lane.twin.counts.lost).toBe(0);
    expect([...real.reader.frames(KEY, 1, 0)].map(({ bytes }) => [...bytes])).toEqual(
      frames.map(({ bytes }) => [...bytes]),
    );
    const rebuilt = newLane();
    rebuilt.rebuild(real.reader);
    expect(rebuilt.twin.snapshot()).toEqual(lane.twin.snapshot());
  });
}
