import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BatchBuilder } from "./batch-builder.ts";
import { SqliteReader } from "./sqlite-reader.ts";
import { SCHEMA_VERSION } from "./sqlite-schema.ts";
import { SqliteStore } from "./sqlite-store.ts";
import type { StoreRecord } from "./store.ts";

let folder = "";
const stores: SqliteStore[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-store-"));
});

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  rmSync(folder, { recursive: true });
});

const file = () => join(folder, "store.db");

function open(options: { maxPages?: number } = {}): SqliteStore {
  const store = new SqliteStore(file(), options);
  stores.push(store);
  return store;
}

async function close(): Promise<void> {
  for (const store of stores.splice(0)) await store.close();
}

const bytes = (...values: number[]) => Uint8Array.from(values);

/** One record of every table. */
const RECORDS: StoreRecord[] = [
  { table: "device", id: "pump", key: 1 },
  { table: "birth", device: 1, hash: "00112233aabbccdd", bytes: bytes(1, 2, 3) },
  {
    table: "epoch",
    device: 1,
    epoch: 4,
    nonce: 0xffff_ffff,
    birthHash: "00112233aabbccdd",
    openedUs: 1_700_000_000_000_000,
  },
  { table: "gap", device: 1, epoch: 4, from: 2, through: 5, reason: "evicted", samples: 80 },
  { table: "snapshot", device: 1, epoch: 4, seq: 7, state: bytes(9, 9) },
  { table: "module", hash: "aa", wasm: bytes(0, 0x61), source: "operator" },
];

test("what was committed is there after the store is opened again", async () => {
  const batch = new BatchBuilder();
  for (const record of RECORDS) batch.addRecord(record);
  batch.addFrame("add", 1, 4, 6, bytes(6, 6, 6));
  batch.addFrame("add", 1, 4, 1, bytes(1));
  batch.addFrame("add", 1, 0xffff_ffff, 0xffff_ffff, bytes());
  expect(await open().commit(batch.build())).toEqual({ exceptions: [] });
  await close();
  const { reader } = open();
  expect(reader.devices()).toEqual([{ id: "pump", key: 1 }]);
  expect(reader.birth(1, "00112233aabbccdd")).toEqual(bytes(1, 2, 3));
  expect(reader.birth(1, "0000000000000000")).toBeUndefined();
  expect(reader.epochs(1)).toEqual([
    { epoch: 4, nonce: 0xffff_ffff, birthHash: "00112233aabbccdd", openedUs: 1_700_000_000_000_000 },
  ]);
  expect(reader.gaps(1)).toEqual([{ epoch: 4, from: 2, through: 5, reason: "evicted", samples: 80 }]);
  expect(reader.snapshot(1, 4)).toEqual({ seq: 7, state: bytes(9, 9) });
  expect(reader.modules()).toEqual([{ hash: "aa", wasm: bytes(0, 0x61), source: "operator" }]);
  expect([...reader.frames(1, 4, 0)]).toEqual([
    { seq: 1, bytes: bytes(1) },
    { seq: 6, bytes: bytes(6, 6, 6) },
  ]);
  expect([...reader.frames(1, 0xffff_ffff, 2)]).toEqual([{ seq: 0xffff_ffff, bytes: bytes() }]);
});

test("the same frame again is a duplicate, other bytes under its key a conflict, and neither changes what is stored", async () => {
  const store = open();
  const first = new BatchBuilder();
  first.addFrame("add", 1, 1, 0, bytes(1, 2));
  await store.commit(first.build());
  const second = new BatchBuilder();
  second.addFrame("add", 1, 1, 0, bytes(1, 2));
  second.addFrame("add", 1, 1, 1, bytes(5));
  second.addFrame("add", 1, 1, 0, bytes(1, 3));
  second.addFrame("check", 1, 1, 1, bytes(5));
  second.addFrame("check", 1, 1, 1, bytes(6));
  second.addFrame("check", 1, 1, 9, bytes(6));
  expect((await store.commit(second.build())).exceptions).toEqual([
    { row: 0, verdict: "duplicate" },
    { row: 2, verdict: "conflict" },
    { row: 3, verdict: "duplicate" },
    { row: 4, verdict: "conflict" },
    { row: 5, verdict: "absent" },
  ]);
  expect([...store.reader.frames(1, 1, 0)].map(({ bytes: stored }) => [...stored])).toEqual([[1, 2], [5]]);
});

test("when the disk is full the commit fails with that, writes nothing, and the store goes on when there is room", async () => {
  const store = open({ maxPages: 30 });
  const large = new BatchBuilder();
  large.addFrame("add", 1, 1, 0, bytes(7));
  for (let seq = 1; seq < 40; seq++) large.addFrame("add", 1, 1, seq, new Uint8Array(4_000));
  await expect(store.commit(large.build())).rejects.toMatchObject({ name: "StoreError", code: "disk-full" });
  expect([...store.reader.frames(1, 1, 0)]).toEqual([]);
  const small = new BatchBuilder();
  small.addFrame("add", 1, 1, 0, bytes(7));
  expect(await store.commit(small.build())).toEqual({ exceptions: [] });
});

test("a snapshot replaces the one before it, and a gap grows in its place", async () => {
  const store = open();
  const batch = new BatchBuilder();
  for (const record of RECORDS) batch.addRecord(record);
  batch.addRecord({ table: "snapshot", device: 1, epoch: 4, seq: 70, state: bytes(1) });
  batch.addRecord({ table: "gap", device: 1, epoch: 4, from: 2, through: 8, reason: "evicted", samples: 120 });
  await store.commit(batch.build());
  expect(store.reader.snapshot(1, 4)).toEqual({ seq: 70, state: bytes(1) });
  expect(store.reader.gaps(1)).toEqual([{ epoch: 4, from: 2, through: 8, reason: "evicted", samples: 120 }]);
});

test("a store can be read while a node writes to it", async () => {
  const store = open();
  const other = new SqliteReader(file());
  const batch = new BatchBuilder();
  batch.addFrame("add", 1, 1, 0, bytes(1));
  await store.commit(batch.build());
  expect([...other.frames(1, 1, 0)].length).toBe(1);
  other.close();
});

/** What the folder holds, byte for byte. */
const contents = () => Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));

test("a file that is no database is refused and stays as it is", () => {
  writeFileSync(file(), "temperature,pressure\n1,2\n");
  const before = contents();
  expect(() => open()).toThrow(expect.objectContaining({ code: "not-a-database" }));
  expect(contents()).toEqual(before);
});

test("a database of something else is refused and stays as it is", () => {
  const foreign = new DatabaseSync(file());
  foreign.exec("CREATE TABLE invoices (id INTEGER)");
  foreign.close();
  const before = contents();
  expect(() => open()).toThrow(expect.objectContaining({ code: "foreign-database" }));
  expect(contents()).toEqual(before);
});

test("a store of a later release is refused and stays as it is, with a log beside it or without", async () => {
  open();
  await close();
  const later = new DatabaseSync(file());
  later.exec(`UPDATE store SET version = ${SCHEMA_VERSION + 1}`);
  later.close();
  const before = readFileSync(file());
  expect(() => open()).toThrow(expect.objectContaining({ code: "newer-schema" }));
  expect(readFileSync(file())).toEqual(before);
});

test("a store belongs to one node at a time, while others may read it; a closed one is free and is one file", async () => {
  open();
  expect(() => open()).toThrow(expect.objectContaining({ code: "in-use" }));
  expect(readdirSync(folder).filter((name) => name.includes("-lock"))).toEqual(["store.db-lock"]);
  const reader = new SqliteReader(file());
  expect(reader.devices()).toEqual([]);
  reader.close();
  await close();
  expect(readdirSync(folder).filter((name) => !name.endsWith("-lock"))).toEqual(["store.db"]);
  expect(() => open()).not.toThrow();
});

test("a store that cannot be made says which file, and why", () => {
  writeFileSync(join(folder, "plain"), "");
  mkdirSync(join(folder, "folder"));
  for (const path of ["absent/store.db", "plain/store.db", "folder"]) {
    expect(() => new SqliteStore(join(folder, path))).toThrow(expect.objectContaining({ name: "StoreError" }));
    expect(() => new SqliteStore(join(folder, path))).toThrow(path);
  }
  expect(() => new SqliteReader(file())).toThrow(expect.objectContaining({ code: "cannot-open" }));
});
