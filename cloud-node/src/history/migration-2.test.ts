import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BatchBuilder } from "../store/batch-builder.ts";
import { SCHEMA_VERSION } from "../store/sqlite-schema.ts";
import { SqliteStore } from "../store/sqlite-store.ts";
import { openHistory } from "./history.ts";
import { KeptStore } from "./kept-store.suite.ts";
import { ScriptedDevice, type TrueRow } from "./scripted-device.suite.ts";

/** What the release before wrote, as `.schema` of its store tells it. */
const VERSION_2 = `
  CREATE TABLE store (version INTEGER NOT NULL) STRICT;
  CREATE TABLE devices (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE births (device INTEGER NOT NULL, hash TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (device, hash)) STRICT, WITHOUT ROWID;
  CREATE TABLE epochs (device INTEGER NOT NULL, epoch INTEGER NOT NULL, nonce INTEGER NOT NULL, birth TEXT NOT NULL, opened_us INTEGER NOT NULL, PRIMARY KEY (device, epoch)) STRICT, WITHOUT ROWID;
  CREATE TABLE frames (device INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (device, epoch, seq)) STRICT, WITHOUT ROWID;
  CREATE TABLE snapshots (device INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, state BLOB NOT NULL, PRIMARY KEY (device, epoch)) STRICT, WITHOUT ROWID;
  CREATE TABLE gaps (device INTEGER NOT NULL, epoch INTEGER NOT NULL, from_seq INTEGER NOT NULL, through_seq INTEGER NOT NULL, reason TEXT NOT NULL, samples INTEGER NOT NULL, PRIMARY KEY (device, epoch, from_seq)) STRICT, WITHOUT ROWID;
  CREATE TABLE modules (hash TEXT PRIMARY KEY, wasm BLOB NOT NULL, source TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE stretches (id INTEGER PRIMARY KEY, device INTEGER NOT NULL, epoch INTEGER NOT NULL, tier INTEGER NOT NULL, from_seq INTEGER NOT NULL, through_seq INTEGER NOT NULL, from_us INTEGER NOT NULL, to_us INTEGER NOT NULL, samples INTEGER NOT NULL, flagged INTEGER NOT NULL, closed_us INTEGER NOT NULL, levels BLOB NOT NULL) STRICT;
  CREATE UNIQUE INDEX stretches_by_place ON stretches (device, epoch, tier, from_seq);
  CREATE INDEX stretches_by_age ON stretches (closed_us) WHERE tier = 0;
  CREATE TABLE packs (stretch INTEGER PRIMARY KEY, state BLOB NOT NULL, frames BLOB NOT NULL) STRICT;
  CREATE TABLE tails (device INTEGER NOT NULL, epoch INTEGER NOT NULL, from_seq INTEGER NOT NULL, next_seq INTEGER NOT NULL, from_us INTEGER NOT NULL, to_us INTEGER NOT NULL, samples INTEGER NOT NULL, flagged INTEGER NOT NULL, frames INTEGER NOT NULL, frame_bytes INTEGER NOT NULL, work INTEGER NOT NULL, levels BLOB NOT NULL, state BLOB NOT NULL, PRIMARY KEY (device, epoch)) STRICT;
  CREATE TABLE expiries (device INTEGER NOT NULL, epoch INTEGER NOT NULL, through_seq INTEGER NOT NULL, PRIMARY KEY (device, epoch)) STRICT, WITHOUT ROWID;
  PRAGMA application_id = 1280529488;
  PRAGMA journal_mode = WAL;
`;
/** Everything that frames are kept in; that must stay as it is, byte for byte. */
const TABLES = ["devices", "births", "epochs", "frames", "snapshots", "modules", "stretches", "packs", "tails"];
const EVER = { fromUs: 0, toUs: 1e16 };

let folder = "";
let truth: readonly TrueRow[] = [];

/** A boot with packs, loose frames, a gap that is closed and one that is not; all that version 2 had columns for. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-migration-"));
  const kept = new KeptStore(file("now.db"));
  const device = new ScriptedDevice({ seed: 12 });
  kept.birth(device);
  for (let i = 0; i < 500; i++) {
    if (i === 200 || i === 499) {
      device.skip(3);
      kept.giveUp(device);
    }
    if (i < 499) kept.receive(device, i % 40 === 0 ? device.keyframe() : device.residual());
    if (i % 100 === 99) await kept.commit();
  }
  await kept.commit();
  await kept.close();
  truth = kept.truth;
  const database = new DatabaseSync(file("store.db"));
  database.exec(VERSION_2);
  database.exec(`INSERT INTO store VALUES (2); ATTACH '${file("now.db")}' AS now`);
  for (const table of [...TABLES, "expiries"]) database.exec(`INSERT INTO ${table} SELECT * FROM now.${table}`);
  database.exec("INSERT INTO gaps SELECT device, epoch, from_seq, through_seq, reason, samples FROM now.gaps");
  database.close();
});

afterEach(() => rmSync(folder, { recursive: true }));

const file = (name: string) => join(folder, name);

function contents(name: string): Record<string, unknown> {
  const database = new DatabaseSync(file(name), { readOnly: true });
  const tables = TABLES.map((table) => [table, database.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all()]);
  database.close();
  return Object.fromEntries(tables);
}

async function told(name: string) {
  const history = await openHistory(file(name));
  try {
    const times = [...history.rows("unit", EVER)].flatMap(({ timesUs }) => [...timesUs]);
    const { samples } = history.buckets("unit", EVER, 50);
    return { times, samples, runs: history.runs("unit", EVER), gaps: history.gaps("unit") };
  } finally {
    history.close();
  }
}

test("a store of version 2 keeps every byte of its frames, and says what it said before", async () => {
  const before = contents("store.db");
  await (await open()).close();
  expect(contents("store.db")).toEqual(before);
  const [now, migrated] = [await told("now.db"), await told("store.db")];
  expect(migrated.times).toEqual(truth.map(({ timeUs }) => timeUs));
  expect([migrated.times, migrated.samples, migrated.runs]).toEqual([now.times, now.samples, now.runs]);
  expect(migrated.runs.map(({ kind }) => kind)).toEqual(["gap-lost", "gap-pending"]);
  // What the release before did not write is not made up; the frames say the same.
  expect(now.gaps.map(({ times }) => times !== undefined)).toEqual([true, false]);
  expect(migrated.gaps).toEqual(now.gaps.map((gap) => ({ ...gap, times: undefined })));
});

test("what a device costs is kept from then on, and of the time before nothing is said", async () => {
  const store = await open();
  expect(store.reader.traffic(1, 0, 1e9)).toMatchObject({ total: { messages: 0 }, minutes: undefined });
  const batch = new BatchBuilder();
  const counts = { samples: 1, values: 2, messages: 3, payloadBytes: 4, frameBytes: 5 };
  const socket = { socketBytes: 6, packets: 7, countedPayloadBytes: 8, countedValues: 9 };
  batch.addRecord({ table: "traffic", device: 1, minute: 28_000_000, ...counts, ...socket });
  await store.commit(batch.build());
  expect(store.reader.traffic(1, 0, 1e9)).toEqual({
    total: { ...counts, ...socket },
    minutes: { oldest: 28_000_000, newest: 28_000_000 },
  });
  await store.close();
});

async function open(): Promise<SqliteStore> {
  const store = new SqliteStore(file("store.db"));
  const database = new DatabaseSync(file("store.db"), { readOnly: true });
  const version = database.prepare("SELECT version FROM store").get()?.version;
  database.close();
  expect([version, SCHEMA_VERSION]).toEqual([3, 3]);
  return store;
}
