import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildIndex } from "./build-index.ts";
import { searchExact } from "./exact-search.ts";
import { generatedClusters } from "./generated-vectors.suite.ts";
import { grossLimit, isGross, withoutGross } from "./gross-rows.ts";
import { IndexFile } from "./index-file.ts";
import { Searcher } from "./search.ts";
import { trainModel } from "./train-model.ts";
import type { RobustMean, TrainOptions } from "./train-options.ts";
import { sourceOfArray } from "./vector-source.ts";

const D = 24;
const N = 2000;
const QUERIES = 100;
const K = 10;
const OPTIONS = { codeBytes: 12, metric: "l2", seed: 1 } as const satisfies TrainOptions;
const ROBUST: readonly (RobustMean | undefined)[] = [
  undefined,
  { kind: "trimmed", share: 0.05 },
  { kind: "huber", share: 0.05 },
];

const ALL = generatedClusters(9, { n: N + QUERIES, d: D, clusters: 30, spread: 0.6, decay: 0.6 }).rows;
const BASE = ALL.subarray(0, N * D);
const ASKED = ALL.subarray(N * D);

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-gross-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The rows, every so many of which have this value everywhere. */
function withFarRows(value: number, every = N): Float32Array {
  const rows = BASE.slice();
  for (let row = 0; row < N; row += every) rows.fill(value, row * D, (row + 1) * D);
  return rows;
}

/** Share of the exact nearest that a search of all lists finds. */
async function recallOf(rows: Float32Array, queries: Float32Array, robust?: RobustMean): Promise<number> {
  const path = join(folder, "a.vlc");
  await buildIndex(sourceOfArray(rows, D), path, { ...OPTIONS, robust });
  const file = await IndexFile.open(path);
  const found = new Searcher(await file.segment()).search(queries, K, { probes: file.facts.m });
  await file.close();
  const exact = await searchExact(sourceOfArray(rows, D), queries, K, "l2");
  let hits = 0;
  for (let at = 0; at < found.ids.length; at += K) {
    const nearest = new Set(Array.from(exact.ids.subarray(at, at + K), Number));
    for (const id of found.ids.subarray(at, at + K)) if (nearest.has(id)) hits++;
  }
  return hits / found.ids.length;
}

test.each(ROBUST)("how far gross rows lie changes nothing that is trained, with the robust mean %o", async (robust) => {
  const train = async (value: number) =>
    (await trainModel(sourceOfArray(withFarRows(value, 100), D), { ...OPTIONS, robust })).model;
  const near = await train(1e3);
  expect(near.m).toBe(224);
  expect(await train(-1e6)).toEqual(near);
  expect(await train(1e15)).toEqual(near);
});

test.each(ROBUST)("gross rows cost the others hardly any recall, with the robust mean %o", async (robust) => {
  const clean = await recallOf(BASE, ASKED, robust);
  expect(clean).toBeGreaterThan(0.9);
  for (const value of [300, 1e4, 1e9]) {
    expect(await recallOf(withFarRows(value), ASKED, robust), `one row of ${value}`).toBeGreaterThan(clean - 0.01);
    // One row in twenty: what is left lies thinner, and so do its neighbours.
    expect(await recallOf(withFarRows(value, 20), ASKED, robust), `5 % of ${value}`).toBeGreaterThan(clean - 0.01);
  }
});

test("a gross row is still found by its own values", async () => {
  const rows = withFarRows(1e4);
  const path = join(folder, "a.vlc");
  await buildIndex(sourceOfArray(rows, D), path, OPTIONS);
  const file = await IndexFile.open(path);
  const found = new Searcher(await file.segment()).search(rows.subarray(0, D), 1, { probes: file.facts.m });
  await file.close();
  expect([...found.ids]).toEqual([0]);
});

test("a tenth of the rows at most is gross, and of rows that are the same but few, none of the few", () => {
  const far = withFarRows(1e6, 8);
  expect(withoutGross(far.slice(), grossLimit(far, D)).length).toBe(far.length);
  const few = withFarRows(1e6, 12);
  const limit = grossLimit(few, D);
  expect(withoutGross(few.slice(), limit).length).toBe((N - Math.ceil(N / 12)) * D);
  expect([isGross(few, 0, limit), isGross(few, 1, limit)]).toEqual([true, false]);
  const copies = BASE.slice();
  for (let row = 0; row < 0.95 * N; row++) copies.copyWithin(row * D, (N - 1) * D);
  expect(withoutGross(copies.slice(), grossLimit(copies, D)).length).toBe(copies.length);
});

test("a build tells of lists that were asked for and could not be made", async () => {
  const rows = Float32Array.from({ length: 60 * D }, (_, at) => Math.floor(at / D) % 2);
  const report = await buildIndex(sourceOfArray(rows, D), join(folder, "a.vlc"), { ...OPTIONS, m: 9 });
  expect([report.facts.m, report.wantedLists]).toEqual([2, 9]);
});
