import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bruteForceBuckets } from "./brute-force.suite.ts";
import { openHistory } from "./history.ts";
import { KeptStore } from "./kept-store.suite.ts";
import type { Run } from "./run.ts";
import { ScriptedDevice } from "./scripted-device.suite.ts";

const EVER = { fromUs: 0, toUs: 1e16 };
let folder = "";
let kept: KeptStore;
let device: ScriptedDevice;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-damage-"));
  kept = new KeptStore(file());
  device = new ScriptedDevice({ seed: 9 });
  kept.birth(device);
  for (let i = 0; i < 600; i++) {
    // Many small packs, and then large ones.
    kept.receive(device, i < 300 && i % 30 === 0 ? device.keyframe() : device.residual());
    if (i % 100 === 99) await kept.commit();
  }
  await kept.commit();
  await kept.close();
});

afterEach(() => rmSync(folder, { recursive: true }));

const file = () => join(folder, "store.db");

function pagesOf(name: string, kind: string): { readonly page: number; readonly size: number }[] {
  const database = new DatabaseSync(file(), { readOnly: true });
  const pages = database
    .prepare("SELECT pageno, pgsize FROM dbstat WHERE name = ? AND pagetype = ? ORDER BY pageno")
    .all(name, kind);
  database.close();
  return pages.map(({ pageno, pgsize }) => ({ page: Number(pageno), size: Number(pgsize) }));
}

function stretchTimes(): { readonly fromUs: number; readonly toUs: number }[] {
  const database = new DatabaseSync(file(), { readOnly: true });
  const rows = database.prepare("SELECT from_us, to_us FROM stretches WHERE tier = 0").all();
  database.close();
  return rows.map(({ from_us, to_us }) => ({ fromUs: Number(from_us), toUs: Number(to_us) }));
}

/** Overwrite a page in the middle of a table. */
function damagePage(name: string, kind: string): void {
  const pages = pagesOf(name, kind);
  const { page, size } = pages[Math.floor(pages.length / 2)] ?? { page: 0, size: 0 };
  expect(page).toBeGreaterThan(1);
  const bytes = readFileSync(file());
  bytes.fill(0xa5, (page - 1) * size, page * size);
  writeFileSync(file(), bytes);
}

/** Every row is told or lies where damage is declared; what is told is right, and buckets agree with it. */
async function expectDeclared(leastKept: number): Promise<readonly Run[]> {
  const history = await openHistory(file());
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
  const database = new DatabaseSync(file());
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
  const history = await openHistory(file());
  const { widthUs, fromUs, count, samples } = history.buckets("unit", EVER, 40);
  const truth = bruteForceBuckets(kept.truth, device, 0, widthUs, { fromUs, toUs: fromUs + count * widthUs });
  expect([...samples]).toEqual(truth.map((bucket) => bucket.samples));
  history.close();
});
