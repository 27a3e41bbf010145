import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { SILENT_LOGGER } from "../logger.ts";
import { CloudNode } from "../node.ts";
import { KeptStore } from "./kept-store.suite.ts";
import { ScriptedDevice } from "./scripted-device.suite.ts";

const FRAMES = 650;
/** What a twin is rebuilt from; without the list of devices or of their boots there is nothing to rebuild. */
const TABLES = ["frames", "snapshots", "tails", "gaps", "expiries", "stretches", "stretches_by_place", "packs"];
let folder = "";

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-damaged-"));
  const kept = new KeptStore(file());
  const device = new ScriptedDevice({ seed: 9 });
  kept.birth(device);
  for (let i = 0; i < FRAMES; i++) {
    kept.receive(device, i < 300 && i % 30 === 0 ? device.keyframe() : device.residual());
    if (i % 100 === 99) await kept.commit();
  }
  await kept.commit();
  await kept.close();
});

afterEach(() => rmSync(folder, { recursive: true }));

const file = () => join(folder, "store.db");

/** One page of each kind that the tables have: the last one, which the newest frames are on. */
function lastPages(): { readonly name: string; readonly kind: string; readonly from: number; readonly to: number }[] {
  const database = new DatabaseSync(file(), { readOnly: true });
  const rows = database
    .prepare("SELECT name, pagetype, max(pageno) AS page, pgsize FROM dbstat GROUP BY name, pagetype")
    .all();
  database.close();
  return rows.flatMap(({ name, pagetype, page, pgsize }) => {
    const [number, size] = [Number(page), Number(pgsize)];
    const place = { name: String(name), kind: String(pagetype), from: (number - 1) * size, to: number * size };
    return TABLES.includes(place.name) ? [place] : [];
  });
}

/** Start a node on the store as it is. @returns seq up to which it has confirmed */
async function confirmedByNode(): Promise<number | undefined> {
  const node = await CloudNode.open({ storeFile: file(), broker: null, logger: SILENT_LOGGER, clock: systemClock() });
  try {
    return node.device("unit")?.confirmed.seq;
  } finally {
    await node.close();
  }
}

test("whatever page of a device's past is damaged, a node starts and shows the device", async () => {
  const good = readFileSync(file());
  const pages = lastPages();
  expect(pages.length).toBeGreaterThan(TABLES.length);
  for (const { name, kind, from, to } of pages) {
    writeFileSync(file(), Buffer.from(good).fill(0xa5, from, to));
    const confirmed = await confirmedByNode();
    expect(confirmed, `${name} ${kind}`).toBeGreaterThan(0);
    // Without frames, or what says where they are, it goes on from the newest snapshot; all else can be done without.
    if (name !== "frames" && !name.startsWith("stretches")) expect(confirmed, `${name} ${kind}`).toBe(FRAMES);
    for (const suffix of ["-wal", "-shm"]) rmSync(file() + suffix, { force: true });
  }
});

test("levels that do not agree with their check keep no twin from its place", async () => {
  const database = new DatabaseSync(file());
  const { changes } = database.prepare("UPDATE stretches SET levels = CAST(substr(levels, 1, 30) AS BLOB)").run();
  database.close();
  expect(changes).toBeGreaterThan(10);
  expect(await confirmedByNode()).toBe(FRAMES);
});
