import { expect, test } from "vitest";
import { ManualClock } from "../manual-clock.suite.ts";
import { type CommitOwner, CommitQueue } from "./commit-queue.ts";
import { type HeldCommit, HeldStore } from "./held-store.suite.ts";
import { StoreError } from "./store-error.ts";

const KEY = { device: 1, epoch: 1 };

class Owner implements CommitOwner {
  readonly device: number;
  readonly told: unknown[] = [];

  constructor(device = KEY.device) {
    this.device = device;
  }

  durable(token: number): void {
    this.told.push(token);
  }

  notAdded(seq: number, op: string, verdict: string): void {
    this.told.push([seq, op, verdict]);
  }
}

function setUp() {
  const clock = new ManualClock();
  const store = new HeldStore();
  const failures: string[] = [];
  let fulls = 0;
  let rooms = 0;
  const queue = new CommitQueue({
    store,
    clock,
    commitMs: 10,
    onFailure: ({ code }) => failures.push(code),
    onFull: () => {
      fulls += 1;
    },
    onRoom: () => {
      rooms += 1;
    },
  });
  return { clock, store, queue, failures, fulls: () => fulls, rooms: () => rooms };
}

function add(queue: CommitQueue, owner: Owner, ...seqs: number[]): void {
  for (const seq of seqs) {
    queue.frame(owner, "add", KEY, seq, Uint8Array.of(seq));
    queue.mark(owner, seq + 1);
  }
}

const held = (store: HeldStore): Promise<HeldCommit> => store.next();

test("writes gather for the commit's time and go out as one transaction", async () => {
  const { clock, store, queue } = setUp();
  const owner = new Owner();
  add(queue, owner, 0);
  clock.advance(9);
  add(queue, owner, 1, 2);
  expect(store.pending).toBe(0);
  clock.advance(1);
  const commit = await held(store);
  expect([...commit.batch.bytes]).toEqual([0, 1, 2]);
});

test("an owner hears nothing before the reply to the commit, and then once", async () => {
  const { clock, store, queue } = setUp();
  const owner = new Owner();
  add(queue, owner, 0, 1);
  clock.advance(10);
  const commit = await held(store);
  expect(owner.told).toEqual([]);
  await commit.succeed();
  expect(owner.told).toEqual([2]);
});

test("while one commit is under way the next gathers, and goes out as soon as it is due", async () => {
  const { clock, store, queue } = setUp();
  const owner = new Owner();
  add(queue, owner, 0);
  clock.advance(10);
  const first = await held(store);
  add(queue, owner, 1);
  clock.advance(5);
  add(queue, owner, 2);
  clock.advance(20);
  expect(store.pending).toBe(0);
  await first.succeed();
  const second = await held(store);
  expect([...second.batch.bytes]).toEqual([1, 2]);
  expect(owner.told).toEqual([1]);
});

test("a failed commit is told to nobody as done, and is tried again until it succeeds", async () => {
  const { clock, store, queue, failures } = setUp();
  const owner = new Owner();
  add(queue, owner, 0);
  clock.advance(10);
  await (await held(store)).fail(new StoreError("disk-full", { file: "x", detail: "" }));
  add(queue, owner, 1);
  clock.advance(99);
  expect(owner.told).toEqual([]);
  clock.advance(1);
  await (await held(store)).fail(new StoreError("disk-full", { file: "x", detail: "" }));
  clock.advance(200);
  const third = await held(store);
  expect([...third.batch.bytes]).toEqual([0]);
  await third.succeed();
  expect(owner.told).toEqual([1]);
  expect(failures).toEqual(["disk-full", "disk-full"]);
});

test("what was not added is told to whose it was", async () => {
  const { clock, store, queue } = setUp();
  const [one, other] = [new Owner(), new Owner()];
  add(queue, one, 0);
  queue.frame(other, "check", KEY, 5, Uint8Array.of(5));
  clock.advance(10);
  await (await held(store)).succeed([{ row: 1, verdict: "conflict" }]);
  expect(one.told).toEqual([1]);
  expect(other.told).toEqual([[5, "check", "conflict"]]);
});

test("a queue is full when more waits than should, and says when there is room again", async () => {
  const { clock, store, queue, fulls, rooms } = setUp();
  const owner = new Owner();
  expect(queue.isFull).toBe(false);
  for (let seq = 0; seq < 20_000; seq++) queue.frame(owner, "add", KEY, seq, Uint8Array.of(1));
  expect(queue.isFull).toBe(true);
  expect(fulls()).toBe(1);
  clock.advance(10);
  const commit = await held(store);
  expect(queue.isFull).toBe(true);
  expect(rooms()).toBe(0);
  await commit.succeed();
  expect(queue.isFull).toBe(false);
  expect(rooms()).toBe(1);
});

test("closing commits what is left, and says so", async () => {
  const { store, queue } = setUp();
  const owner = new Owner();
  add(queue, owner, 0);
  const closed = queue.close();
  await (await held(store)).succeed();
  expect(await closed).toBe(true);
  expect(owner.told).toEqual([1]);
});

test("closing on a store that refuses ends too, and says that something is lost", async () => {
  const { clock, store, queue } = setUp();
  const owner = new Owner();
  add(queue, owner, 0);
  clock.advance(10);
  await (await held(store)).fail(new StoreError("disk-full", { file: "x", detail: "" }));
  const closed = queue.close();
  await (await held(store)).fail(new StoreError("disk-full", { file: "x", detail: "" }));
  expect(await closed).toBe(false);
  expect(owner.told).toEqual([]);
});

test("who waits for all that was handed over hears when it is durable, or that it has to be tried again", async () => {
  const { clock, store, queue } = setUp();
  const owner = new Owner();
  expect(await queue.flush()).toBe(true);
  add(queue, owner, 0);
  const first = queue.flush();
  const commit = await held(store);
  add(queue, owner, 1);
  const second = queue.flush();
  await commit.succeed();
  expect([await first, owner.told]).toEqual([true, [1]]);
  await (await held(store)).fail(new StoreError("disk-full", { file: "x", detail: "" }));
  expect(await second).toBe(false);
  expect(await queue.flush()).toBe(false);
  clock.advance(100);
  await (await held(store)).succeed();
  expect([await queue.flush(), owner.told]).toEqual([true, [1, 2]]);
});
