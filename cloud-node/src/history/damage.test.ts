import { readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { bruteForceBuckets } from "./brute-force.suite.ts";
import { damagedStoreBeforeEach, pagesOf } from "./damaged-store.suite.ts";
import { openHistory } from "./history.ts";
import type { Run } from "./run.ts";

const EVER = { fromUs: 0, toUs: 1e16 };
const made = damagedStoreBeforeEach(600);

function stretchTimes(): { readonly fromUs: number; readonly toUs: number }[] {
  const database = new DatabaseSync(made().file, { readOnly: true });
  const rows = database.prepare("SELECT from_us, to_us FROM stretches WHERE tier = 0").all();
  database.close();
  return rows.map(({ from_us, to_us }) => ({ fromUs: Number(from_us), toUs: Number(to_us) }));
}

/** Overwrite a page in the middle of a table. */
function damagePage(name: string, kind: string): void {
  const { file } = made();
  const pages = pagesOf(file).filter((page) => page.name === name && page.kind === kind);
  const { from, to } = pages[Math.floor(pages.length / 2)] ?? { from: 0, to: 0 };
  expect(from).toBeGreaterThan(0);
  writeFileSync(file, readFileSync(file).fill(0xa5, from, to));
}

/** Every row is told or lies where damage is declared; what is told is right, and buckets agree with it. */
async function expectDeclared(leastKept: number): Promise<readonly Run[]> {
  const { kept, device } = made();
  const history = await openHistory(made().file);
  const steps = history.rows("unit", EVER);
  const told = new Set<number>();
  let step = steps.next();
  for (; !step.done; step = steps.next()) for (const timeUs of step.value.timesUs) told.add(timeUs);
  const damage = step.value;
  const isDamaged = (timeUs: number) => damage.some(({ fromUs, toUs }) => timeUs >= fromUs && timeUs < toUs);
  const missing = kept.truth.filter(({ timeUs }) => !told.has(timeUs));
  expect(missing.every(({ timeUs }) => isDamaged(timeUs))).toBe(true);
  const known = new Set(kept.truth.map(({ timeUs }) => timeUs));
  expect([...told].every((timeUs) => known.has(timeUs))).toBe(true);
  expect(told.size / kept.truth.length).toBeGreaterThanOrEqual(leastKept);
  expect(history.runs("unit", EVER).filter(({ kind }) => kind === "damaged")).toEqual(damage);
  const { widthUs, fromUs, count, channels, samples } = history.buckets("unit", EVER, 3_000);
  const rows = kept.truth.filter(({ timeUs }) => told.has(timeUs));
  const truth = bruteForceBuckets(rows, device, 0, widthUs, { fromUs, toUs: fromUs + count * widthUs });
  expect([...samples]).toEqual(truth.map((bucket) => bucket.samples));
  expect([...(channels[0]?.first ?? [])]).toEqual(truth.map(({ first }) => first));
  history.close();
  return damage;
}

test("a damaged page of frames takes its stretch, which is declared, and the rest serves", async () => {
  damagePage("packs", "overflow");
  const stretches = stretchTimes();
  const [damage, ...others] = await expectDeclared(0.3);
  expect(others).toEqual([]);
  expect(stretches).toContainEqual({ fromUs: damage?.fromUs, toUs: damage?.toUs });
});

test("a damaged page of packs takes the stretches that begin on it, and the rest serves", async () => {
  damagePage("packs", "leaf");
  expect((await expectDeclared(0.6)).length).toBeGreaterThan(0);
});

test("a damaged page of stretches takes those on it, and the rest serves", async () => {
  damagePage("stretches", "leaf");
  expect((await expectDeclared(0.3)).length).toBeGreaterThan(0);
});

test("a level that does not agree with its check is told from the frames instead", async () => {
  const database = new DatabaseSync(made().file);
  const rows = database.prepare("SELECT id, levels FROM stretches").all();
  for (const { id, levels } of rows) {
    if (!(levels instanceof Uint8Array) || id === undefined) continue;
    // Within the number of the first bucket: what it says would be told of another time.
    levels[21] = (levels[21] ?? 0) ^ 0x10;
    database.prepare("UPDATE stretches SET levels = ? WHERE id = ?").run(levels, id);
  }
  database.close();
  expect(rows.length).toBeGreaterThan(10);
  expect(await expectDeclared(1)).toEqual([]);
  const { file, kept, device } = made();
  const history = await openHistory(file);
  const { widthUs, fromUs, count, samples } = history.buckets("unit", EVER, 40);
  const truth = bruteForceBuckets(kept.truth, device, 0, widthUs, { fromUs, toUs: fromUs + count * widthUs });
  expect([...samples]).toEqual(truth.map((bucket) => bucket.samples));
  history.close();
});
