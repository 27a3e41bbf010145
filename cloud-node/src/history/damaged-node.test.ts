import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { SILENT_LOGGER } from "../logger.ts";
import { CloudNode } from "../node.ts";
import { damagedStoreBeforeEach, pagesOf, type StoredPage } from "./damaged-store.suite.ts";

const FRAMES = 650;
/** What a twin is rebuilt from; without the list of devices or of their boots there is nothing to rebuild. */
const TABLES = ["frames", "snapshots", "tails", "gaps", "expiries", "stretches", "stretches_by_place", "packs"];
const made = damagedStoreBeforeEach(FRAMES);

/** One page of each kind that the tables have: the last one, which the newest frames are on. */
function lastPages(file: string): readonly StoredPage[] {
  const pages = pagesOf(file).filter(({ name }) => TABLES.includes(name));
  return [...new Map(pages.map((page) => [`${page.name} ${page.kind}`, page])).values()];
}

/** Start a node on the store as it is. @returns seq up to which it has confirmed */
async function confirmedByNode(storeFile: string): Promise<number | undefined> {
  const node = await CloudNode.open({ storeFile, broker: null, logger: SILENT_LOGGER, clock: systemClock() });
  try {
    return node.device("unit")?.confirmed.seq;
  } finally {
    await node.close();
  }
}

test("whatever page of a device's past is damaged, a node starts and shows the device", async () => {
  const { file } = made();
  const good = readFileSync(file);
  const pages = lastPages(file);
  expect(pages.length).toBeGreaterThan(TABLES.length);
  for (const { name, kind, from, to } of pages) {
    writeFileSync(file, Buffer.from(good).fill(0xa5, from, to));
    const confirmed = await confirmedByNode(file);
    expect(confirmed, `${name} ${kind}`).toBeGreaterThan(0);
    // Without frames, or what says where they are, it goes on from the newest snapshot; all else can be done without.
    if (name !== "frames" && !name.startsWith("stretches")) expect(confirmed, `${name} ${kind}`).toBe(FRAMES);
    for (const suffix of ["-wal", "-shm"]) rmSync(file + suffix, { force: true });
  }
});

test("levels that do not agree with their check keep no twin from its place", async () => {
  const { file } = made();
  const database = new DatabaseSync(file);
  const { changes } = database.prepare("UPDATE stretches SET levels = CAST(substr(levels, 1, 30) AS BLOB)").run();
  database.close();
  expect(changes).toBeGreaterThan(10);
  expect(await confirmedByNode(file)).toBe(FRAMES);
});
