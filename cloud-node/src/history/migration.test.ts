import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { birthHash } from "@lockstep/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { SILENT_LOGGER } from "../logger.ts";
import { CloudNode } from "../node.ts";
import type { RetentionReport, RetentionRules } from "../store/retention.ts";
import { SCHEMA_VERSION } from "../store/sqlite-schema.ts";
import { SqliteStore } from "../store/sqlite-store.ts";
import type { CommitReply, Store, StoreBatch } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";
import { openHistory } from "./history.ts";
import { ScriptedDevice, type TrueRow } from "./scripted-device.suite.ts";

/** What the release before stretches made of an empty file, as `.schema` of its store tells it. */
const VERSION_1 = `
  CREATE TABLE store (version INTEGER NOT NULL) STRICT;
  INSERT INTO store VALUES (1);
  CREATE TABLE devices (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE births (device INTEGER NOT NULL, hash TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (device, hash)) STRICT, WITHOUT ROWID;
  CREATE TABLE epochs (device INTEGER NOT NULL, epoch INTEGER NOT NULL, nonce INTEGER NOT NULL, birth TEXT NOT NULL, opened_us INTEGER NOT NULL, PRIMARY KEY (device, epoch)) STRICT, WITHOUT ROWID;
  CREATE TABLE frames (device INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (device, epoch, seq)) STRICT, WITHOUT ROWID;
  CREATE TABLE snapshots (device INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, state BLOB NOT NULL, PRIMARY KEY (device, epoch)) STRICT, WITHOUT ROWID;
  CREATE TABLE gaps (device INTEGER NOT NULL, epoch INTEGER NOT NULL, from_seq INTEGER NOT NULL, through_seq INTEGER NOT NULL, reason TEXT NOT NULL, samples INTEGER NOT NULL, PRIMARY KEY (device, epoch, from_seq)) STRICT, WITHOUT ROWID;
  CREATE TABLE modules (hash TEXT PRIMARY KEY, wasm BLOB NOT NULL, source TEXT NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA application_id = 1280529488;
  PRAGMA journal_mode = WAL;
`;

let folder = "";
const truth: TrueRow[] = [];

/** Two boots; the newer one is longer than a node leaves whole, and has a gap. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-migration-"));
  truth.length = 0;
  const database = new DatabaseSync(file());
  database.exec(VERSION_1);
  database.prepare("INSERT INTO devices VALUES (1, 'unit')").run();
  for (const [epoch, frames] of [
    [1, 400],
    [2, 6_000],
  ] as const) {
    const device = new ScriptedDevice({ seed: epoch, epoch, channels: 2, frameSamples: 4 });
    device.setClock(device.timeUs + epoch * 1_000_000_000);
    const hash = birthHash(device.birth);
    database.prepare("INSERT OR IGNORE INTO births VALUES (1, ?, ?)").run(hash, device.birthBytes);
    database.prepare("INSERT INTO epochs VALUES (1, ?, ?, ?, 0)").run(epoch, device.birth.nonce, hash);
    const insert = database.prepare("INSERT INTO frames VALUES (1, ?, ?, ?)");
    database.exec("BEGIN");
    for (let i = 0; i < frames; i++) {
      if (i === 300) {
        const from = device.next;
        device.skip(2);
        database.prepare("INSERT INTO gaps VALUES (1, ?, ?, ?, 'evicted', 8)").run(epoch, from, from + 1);
      }
      const { seq, bytes, rows } = i % 300 === 0 ? device.keyframe() : device.residual();
      insert.run(epoch, seq, bytes);
      truth.push(...rows);
      // The newest snapshot of version 1: frames before it would never be divided if a node went on from it.
      if (i === 255) database.prepare("INSERT INTO snapshots VALUES (1, ?, 256, ?)").run(epoch, device.snapshot());
    }
    database.exec("COMMIT");
  }
  database.close();
});

afterEach(() => rmSync(folder, { recursive: true }));

const file = () => join(folder, "store.db");
const one = (sql: string): number => {
  const database = new DatabaseSync(file(), { readOnly: true });
  try {
    return Number(Object.values(database.prepare(sql).get() ?? {})[0]);
  } finally {
    database.close();
  }
};

async function expectTruth(): Promise<void> {
  const history = await openHistory(file());
  const told = [...history.samples("unit")].map(({ epoch, timeUs, statuses }) => ({ epoch, timeUs, statuses }));
  expect(told).toEqual(
    truth.map(({ epoch, timeUs, statuses }) => ({ epoch, timeUs, statuses: Uint8Array.from(statuses) })),
  );
  const span = history.span("unit") ?? { fromUs: 0, toUs: 0 };
  const { samples } = history.buckets("unit", span, 100);
  expect(samples.reduce((sum, n) => sum + n, 0)).toBe(truth.length);
  const gap = history.runs("unit", span).find(({ kind }) => kind === "gap-lost");
  expect(gap).toMatchObject({ channel: null });
  history.close();
}

test("a store of version 1 is brought to this one, and says what it said before", async () => {
  const store = new SqliteStore(file());
  await store.close();
  expect(one("SELECT version FROM store")).toBe(SCHEMA_VERSION);
  expect(SCHEMA_VERSION).toBe(3);
  // Pages can be given back from now on.
  expect(one("PRAGMA auto_vacuum")).toBe(2);
  await expectTruth();
});

test("a node divides what version 1 left whole, once, and history is the same", async () => {
  const options = { storeFile: file(), broker: null, logger: SILENT_LOGGER, clock: systemClock() };
  await (await CloudNode.open(options)).close();
  const stretches = one("SELECT count(*) FROM stretches WHERE tier = 0");
  expect(stretches).toBeGreaterThan(10);
  expect(one("SELECT count(*) FROM frames WHERE epoch = 1")).toBe(0);
  expect(one("SELECT count(*) FROM frames")).toBeLessThan(1_000);
  await expectTruth();
  await (await CloudNode.open(options)).close();
  expect(one("SELECT count(*) FROM stretches WHERE tier = 0")).toBe(stretches);
});

/** A store that says what each commit had in it, and takes no more than so many. */
class CountedStore implements Store {
  readonly stretches: number[] = [];
  readonly #behind: Store;
  readonly #most: number;

  constructor(behind: Store, most: number) {
    this.#behind = behind;
    this.#most = most;
  }

  get reader() {
    return this.#behind.reader;
  }

  async commit(batch: StoreBatch): Promise<CommitReply> {
    if (this.stretches.length >= this.#most) throw new StoreError("disk-full", { file: file(), detail: "" });
    this.stretches.push(batch.records.filter(({ table }) => table === "stretch").length);
    return await this.#behind.commit(batch);
  }

  retain(rules: RetentionRules): Promise<RetentionReport> {
    return this.#behind.retain(rules);
  }

  close(): Promise<void> {
    return this.#behind.close();
  }
}

test("what version 1 left whole is divided part by part, said in the log, and gone on with where it was left off", async () => {
  const options = { storeFile: file(), broker: null, clock: systemClock() };
  const stores: CountedStore[] = [];
  const told: unknown[] = [];
  const logger = {
    ...SILENT_LOGGER,
    info: (facts: object) => void told.push(facts),
    warn: () => void told.push("warned"),
  };
  const open = async (most: number) => {
    const store = (behind: Store) => {
      stores.push(new CountedStore(behind, most));
      return stores.at(-1) ?? behind;
    };
    await (await CloudNode.openWith({ ...options, logger }, { store })).close();
    return stores.at(-1)?.stretches ?? [];
  };
  const first = await open(1);
  expect(first).toHaveLength(1);
  expect(told).toEqual([{ device: "unit", epoch: 2, frames: 1_000 }, "warned"]);
  const begun = one("SELECT count(*) FROM stretches WHERE tier = 0");
  expect(begun).toBeGreaterThan(3);
  const oldest = one("SELECT max(id) FROM stretches");
  expect(one("SELECT count(*) FROM frames WHERE epoch = 2")).toBeGreaterThan(5_000);
  const second = await open(Number.POSITIVE_INFINITY);
  // None has many: a thousand frames at a time.
  expect(3 * Math.max(...first, ...second)).toBeLessThan(one("SELECT count(*) FROM stretches"));
  expect(second.length).toBeGreaterThan(2);
  expect(one(`SELECT count(*) FROM stretches WHERE id <= ${oldest} AND tier = 0`)).toBe(begun);
  expect(one("SELECT count(*) FROM frames")).toBeLessThan(1_000);
  await expectTruth();
});

test("a store of version 1 is not read before it was brought to this one, and stays as it is", async () => {
  await expect(openHistory(file())).rejects.toMatchObject({ name: "StoreError" });
  expect(one("SELECT version FROM store")).toBe(1);
});
