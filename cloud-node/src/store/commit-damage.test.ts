import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../manual-clock.suite.ts";
import { BatchBuilder } from "./batch-builder.ts";
import { type CommitOwner, CommitQueue } from "./commit-queue.ts";
import { HeldStore } from "./held-store.suite.ts";
import { SqliteStore } from "./sqlite-store.ts";
import { StoreError } from "./store-error.ts";

const CORRUPT = new StoreError("corrupt", { file: "x", detail: "malformed" });
const COSTS = {
  ...{ samples: 1, values: 1, messages: 1, payloadBytes: 1, frameBytes: 1, socketBytes: 1, packets: 1 },
  ...{ countedPayloadBytes: 1, countedValues: 1 },
};
const FULL = new StoreError("disk-full", { file: "x", detail: "" });

class Owner implements CommitOwner {
  readonly device: number;
  readonly told: unknown[] = [];

  constructor(device: number) {
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
  const damaged: number[] = [];
  const ignore = () => {};
  const heard = { onFull: ignore, onRoom: ignore, onFailure: ({ code }: StoreError) => failures.push(code) };
  const queue = new CommitQueue({ store, clock, commitMs: 10, ...heard, onDamage: (device) => damaged.push(device) });
  const owners = [1, 2, 3].map((device) => new Owner(device));
  const records: string[] = [];
  const send = (seq: number) => {
    for (const owner of owners) {
      const { device } = owner;
      queue.frame(owner, "add", { device, epoch: 1 }, seq, Uint8Array.of(10 * device + seq));
      queue.mark(owner, seq + 1);
      const record = {
        table: "gap",
        device,
        epoch: 1,
        from: seq,
        through: seq,
        reason: "evicted",
        samples: 0,
      } as const;
      queue.record(record, () => records.push(`${device} ${seq}`));
    }
  };
  return { clock, store, queue, failures, damaged, owners, records, send };
}

test("a batch that meets damage is committed device by device; only whom it concerns is given up, and told nothing", async () => {
  const { clock, store, failures, damaged, owners, records, send, queue } = setUp();
  send(0);
  clock.advance(10);
  const whole = await store.next();
  expect([...whole.batch.bytes]).toEqual([10, 20, 30]);
  send(1);
  await whole.fail(CORRUPT);
  const first = await store.next();
  expect([...first.batch.bytes]).toEqual([10]);
  expect(first.batch.records).toMatchObject([{ device: 1 }]);
  await first.succeed([{ row: 0, verdict: "duplicate" }]);
  await (await store.next()).fail(CORRUPT);
  expect([damaged, owners.map(({ told }) => told)]).toEqual([[2], [[], [], []]]);
  // Another trouble passes, and is waited for.
  await (await store.next()).fail(FULL);
  expect(store.pending).toBe(0);
  clock.advance(100);
  await (await store.next()).succeed();
  expect(owners.map(({ told }) => told)).toEqual([[[0, "add", "duplicate"], 1], [], [1]]);
  expect(records).toEqual(["1 0", "3 0"]);
  expect(failures).toEqual(["corrupt", "corrupt", "disk-full"]);

  // What came of it meanwhile is given up too, and nothing more of it is taken; nobody is asked again.
  for (const bytes of [[11], [31]]) {
    const part = await store.next();
    expect([...part.batch.bytes]).toEqual(bytes);
    await part.succeed();
  }
  send(2);
  clock.advance(10);
  const next = await store.next();
  expect([...next.batch.bytes]).toEqual([12, 32]);
  await next.succeed();
  expect(owners.map(({ told }) => told.at(-1))).toEqual([3, undefined, 3]);
  expect(records).toEqual(["1 0", "3 0", "1 1", "3 1", "1 2", "3 2"]);
  expect([damaged, failures.length, queue.failure]).toEqual([[2], 3, undefined]);
  expect(await queue.close()).toBe(true);
});

test("where all is damaged every device is given up, the queue says why, and it ends", async () => {
  const { clock, store, damaged, owners, send, queue } = setUp();
  send(0);
  clock.advance(10);
  for (let commit = 0; commit < 4; commit++) await (await store.next()).fail(CORRUPT);
  expect(damaged).toEqual([1, 2, 3]);
  expect(owners.flatMap(({ told }) => told)).toEqual([]);
  expect(queue.failure?.code).toBe("corrupt");
  send(1);
  clock.advance(10_000);
  expect(store.pending).toBe(0);
  expect(await queue.close()).toBe(true);
});

test("damage where only costs are counted costs nobody a frame: they are counted no more, and all else is kept", async () => {
  const { clock, store, damaged, owners, records, send, queue } = setUp();
  const counted: number[] = [];
  const count = (minute: number) =>
    owners.map(({ device }) =>
      queue.record({ table: "traffic", device, minute, ...COSTS }, () => counted.push(device)),
    );
  send(0);
  count(1);
  clock.advance(10);
  await (await store.next()).fail(CORRUPT);
  await (await store.next()).succeed();
  const whole = await store.next();
  expect(whole.batch.records.map(({ table }) => table)).toEqual(["gap", "traffic"]);
  await whole.fail(CORRUPT);
  const rest = await store.next();
  expect(rest.batch.records.map(({ table }) => table)).toEqual(["gap"]);
  expect([...rest.batch.bytes]).toEqual([20]);
  await rest.succeed();
  await (await store.next()).succeed();
  expect([damaged, queue.failure]).toEqual([[], undefined]);
  expect(owners.map(({ told }) => told)).toEqual([[1], [1], [1]]);
  expect(records).toEqual(["1 0", "2 0", "3 0"]);
  expect(counted).toEqual([1, 3]);

  // Nobody is asked again for what cannot be written.
  send(1);
  expect(count(2)).toEqual([true, false, true]);
  clock.advance(10);
  const next = await store.next();
  expect([...next.batch.bytes]).toEqual([11, 21, 31]);
  expect(next.batch.records.filter(({ table }) => table === "traffic")).toMatchObject([{ device: 1 }, { device: 3 }]);
  await next.succeed();
  expect(owners.map(({ told }) => told.at(-1))).toEqual([2, 2, 2]);
  expect(counted).toEqual([1, 3, 1, 3]);

  // Damage of its frames, found later, is damage still.
  send(2);
  clock.advance(10);
  await (await store.next()).fail(CORRUPT);
  await (await store.next()).succeed();
  await (await store.next()).fail(CORRUPT);
  await (await store.next()).succeed();
  expect(damaged).toEqual([2]);
  expect(await queue.close()).toBe(true);
});

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-damage-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a damaged page of SQLite refuses the frames that belong on it, as damage, and takes all others", async () => {
  const file = join(folder, "store.db");
  const commit = async (device: number, from: number, count: number): Promise<number> => {
    const store = new SqliteStore(file);
    try {
      const batch = new BatchBuilder();
      for (let seq = from; seq < from + count; seq++)
        batch.addFrame("add", device, 1, seq, new Uint8Array(200).fill(seq));
      const { exceptions } = await store.commit(batch.build());
      return count - exceptions.length;
    } finally {
      await store.close();
    }
  };
  expect(await commit(1, 0, 200)).toBe(200);
  expect(await commit(2, 0, 200)).toBe(200);
  const database = new DatabaseSync(file, { readOnly: true });
  const pages = database
    .prepare("SELECT pageno, pgsize FROM dbstat WHERE name = 'frames' AND pagetype = 'leaf' ORDER BY path")
    .all()
    .map(({ pageno, pgsize }) => ({ page: Number(pageno), size: Number(pgsize) }));
  database.close();
  expect(pages.length).toBeGreaterThan(10);
  const bytes = readFileSync(file);
  // The newest frames of the second device lie at the end.
  for (const { page, size } of pages.slice(0, -2)) bytes.fill(0xa5, (page - 1) * size, page * size);
  writeFileSync(file, bytes);
  await expect(commit(1, 200, 1)).rejects.toMatchObject({ name: "StoreError", code: "corrupt" });
  expect(await commit(2, 200, 1)).toBe(1);
});
