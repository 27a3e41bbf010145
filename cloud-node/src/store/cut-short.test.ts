import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BatchBuilder } from "./batch-builder.ts";
import { openForReading } from "./sqlite-open.ts";
import { SCHEMA_VERSION } from "./sqlite-schema.ts";
import { SqliteStore } from "./sqlite-store.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-cut-short-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What a kill leaves of a file and its rollback journal while a transaction is half-written. @returns the file */
function cutShort(name: string, from: string | undefined): string {
  const [running, left] = [join(folder, "running.db"), join(folder, name)];
  if (from !== undefined) copyFileSync(from, running);
  const database = new DatabaseSync(running);
  // So small that pages are written before the transaction ends.
  database.exec("PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN IMMEDIATE");
  database.exec("CREATE TABLE half (bytes BLOB)");
  for (let i = 0; i < 50; i += 1) database.exec("INSERT INTO half VALUES (randomblob(3000))");
  copyFileSync(running, left);
  copyFileSync(`${running}-journal`, `${left}-journal`);
  database.exec("ROLLBACK");
  database.close();
  rmSync(running);
  return left;
}

async function storeWithDevice(): Promise<string> {
  const file = join(folder, "whole.db");
  const store = new SqliteStore(file);
  const batch = new BatchBuilder();
  batch.addRecord({ table: "device", id: "pump", key: 1 });
  await store.commit(batch.build());
  await store.close();
  return file;
}

test("a store whose making was cut short is made again", async () => {
  const file = cutShort("made.db", undefined);
  const store = new SqliteStore(file);
  expect(store.reader.devices()).toEqual([]);
  await store.close();
});

test("a database in which there is nothing yet is taken for a store to be made", async () => {
  const file = join(folder, "begun.db");
  const database = new DatabaseSync(file);
  database.exec("PRAGMA auto_vacuum = INCREMENTAL; CREATE TABLE gone (x); DROP TABLE gone");
  database.close();
  expect(readFileSync(file).length).toBeGreaterThan(0);
  const store = new SqliteStore(file);
  expect(store.reader.devices()).toEqual([]);
  await store.close();
});

test("a store that was cut short while it was migrated is as it was before, and is opened", async () => {
  const file = cutShort("migrated.db", await storeWithDevice());
  const store = new SqliteStore(file);
  expect(store.reader.devices().map(({ id }) => id)).toEqual(["pump"]);
  await store.close();
});

test("one who only reads it sees it as it was before, too", async () => {
  const file = cutShort("read.db", await storeWithDevice());
  const database = openForReading(file);
  expect(database.prepare("SELECT version FROM store").get()).toEqual({ version: SCHEMA_VERSION });
  database.close();
});

test("a file whose first page did not arrive is taken back as well", async () => {
  const file = cutShort("torn.db", undefined);
  const bytes = readFileSync(file);
  bytes.fill(0xa5, 0, 512);
  writeFileSync(file, bytes);
  const store = new SqliteStore(file);
  expect(store.reader.devices()).toEqual([]);
  await store.close();
});

test("what is no database stays as it is, whatever lies beside it", () => {
  const file = join(folder, "notes.txt");
  writeFileSync(file, "these are notes");
  writeFileSync(`${file}-journal`, "a diary");
  expect(() => new SqliteStore(file)).toThrow(/is not a database/);
  expect(readFileSync(file, "utf8")).toBe("these are notes");
  expect(existsSync(`${file}-journal`)).toBe(true);
});
