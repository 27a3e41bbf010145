import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BuildOptions, buildIndex } from "./build-index.ts";
import { addVectors, deleteVectors } from "./change-index.ts";
import { clusteredRows } from "./clustered-vectors.suite.ts";
import { decodeIndex } from "./decode-index.ts";
import { searchExact } from "./exact-search.ts";
import { IndexFile } from "./index-file.ts";
import { maintainIndex } from "./maintain-index.ts";
import { sourceOfArray } from "./vector-source.ts";

const D = 32;
const SHAPE = { d: D, clusters: 20, seed: 8 };
const OPTIONS: BuildOptions = { codeBytes: 16, metric: "l2", seed: 2 };
let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-maintain-index-"));
  path = join(folder, "a.vlc");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What an index decodes to, by rising id; how large its lists are; what it states as its error. */
async function contents() {
  const file = await IndexFile.open(path);
  const found = new Map<number, Float32Array>();
  for await (const { ids, rows } of decodeIndex(file)) {
    for (const [i, id] of ids.entries()) found.set(id, rows.slice(i * D, (i + 1) * D));
  }
  const { facts } = file;
  const sizes = await file.listSizes();
  const error = await file.codingError();
  await file.close();
  return { ids: [...found.keys()].sort((a, b) => a - b), found, facts, sizes, error };
}

/** The largest distance between what an index decodes to and the vectors. */
function worstOf(found: ReadonlyMap<number, Float32Array>, values: Float32Array): number {
  const distances = Array.from(found, ([id, row]) => Math.hypot(...row.map((x, j) => x - (values[id * D + j] ?? 0))));
  return Math.max(...distances);
}

function numbers(from: number, to: number, without: (id: number) => boolean = () => false): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i).filter((id) => !without(id));
}

test.for([undefined, "f16"] as const)(
  "segments and deleted rows are folded, and no code changes (finer rows: %s)",
  async (rerank) => {
    const values = clusteredRows({ n: 900, ...SHAPE });
    await buildIndex(sourceOfArray(values.subarray(0, 600 * D), D), path, { ...OPTIONS, rerank });
    await addVectors(path, sourceOfArray(values.subarray(600 * D), D));
    await deleteVectors(path, Uint32Array.from(numbers(0, 900).filter((id) => id % 7 === 3)));
    const before = await contents();
    const report = await maintainIndex(path, { mergeBelow: 0, splitAbove: Infinity });
    expect(report).toMatchObject({ segments: 2, removed: 129, merged: 0, split: 0, recoded: 0 });
    expect(report.bytesAfter).toBe(readFileSync(path).length);
    expect(report.bytesAfter).toBeLessThan(report.bytesBefore);
    const after = await contents();
    expect(after.facts).toMatchObject({ n: 771, deleted: 0, nextId: 900, rerank });
    expect(after.facts.segments).toEqual([{ rows: 771, deleted: 0 }]);
    expect(after.ids).toEqual(numbers(0, 900, (id) => id % 7 === 3));
    for (const [id, row] of after.found) expect(row).toEqual(before.found.get(id));
    expect(readdirSync(folder)).toEqual(["a.vlc"]);
  },
);

test("an index that needs nothing is left as it is, file and all", async () => {
  await buildIndex(sourceOfArray(clusteredRows({ n: 300, ...SHAPE }), D), path, { ...OPTIONS, m: 4 });
  const before = readFileSync(path);
  await maintainIndex(path, { mergeBelow: 0, splitAbove: 1000 });
  expect(readFileSync(path)).toEqual(before);
});

test.for([undefined, "i8"] as const)(
  "lists that are too long are split, and the error stays within what is stated (finer rows: %s)",
  async (rerank) => {
    // Trained on few of the clusters: the rows of all the others crowd the lists at the edge.
    const first = clusteredRows({ n: 400, d: D, clusters: 5, seed: 8 });
    const more = clusteredRows({ n: 1600, d: D, clusters: 40, seed: 9 });
    await buildIndex(sourceOfArray(first, D), path, { ...OPTIONS, m: 30, rerank });
    await addVectors(path, sourceOfArray(more, D));
    const before = await contents();
    const mean = 2000 / 30;
    expect(Math.max(...before.sizes)).toBeGreaterThan(4 * mean);
    const report = await maintainIndex(path);
    const after = await contents();
    expect(report.split).toBeGreaterThan(0);
    expect(report.recoded).toBeGreaterThan(0);
    expect(report.m).toBe(after.facts.m);
    expect(after.ids).toEqual(numbers(0, 2000));
    expect(Math.max(...after.sizes)).toBeLessThanOrEqual((4 * 2000) / (30 - report.emptied - report.merged));
    const values = new Float32Array([...first, ...more]);
    expect(worstOf(after.found, values)).toBeLessThanOrEqual((after.error?.worst ?? 0) * 1.001);
    // Nearer anchors, and still no worse than twice what it was.
    expect(worstOf(after.found, values)).toBeLessThan(2 * worstOf(before.found, values));
  },
);

test("rows that are all the same stay one list, however many they are", async () => {
  const values = clusteredRows({ n: 200, ...SHAPE });
  await buildIndex(sourceOfArray(values, D), path, { ...OPTIONS, m: 20 });
  const same = new Float32Array(800 * D);
  for (let i = 0; i < 800; i++) same.set(values.subarray(0, D), i * D);
  await addVectors(path, sourceOfArray(same, D));
  await maintainIndex(path);
  const { ids, sizes } = await contents();
  expect(ids).toEqual(numbers(0, 1000));
  expect(Math.max(...sizes)).toBeGreaterThanOrEqual(800);
});

test("anchors without rows go, and those that are near each other become one", async () => {
  const values = clusteredRows({ n: 600, ...SHAPE });
  await buildIndex(sourceOfArray(values, D), path, { ...OPTIONS, m: 60 });
  const before = await contents();
  const report = await maintainIndex(path, { mergeBelow: 1 });
  expect(report.merged).toBeGreaterThan(0);
  const after = await contents();
  expect(after.facts.m).toBe(60 - report.merged - report.emptied + report.split);
  expect(after.ids).toEqual(before.ids);
  expect(worstOf(after.found, values)).toBeLessThanOrEqual((after.error?.worst ?? 0) * 1.001);
  await deleteVectors(path, Uint32Array.from(numbers(1, 600)));
  expect(await maintainIndex(path)).toMatchObject({ m: 1, removed: 599 });
  expect((await contents()).ids).toEqual([0]);
  await deleteVectors(path, Uint32Array.of(0));
  await maintainIndex(path);
  expect((await contents()).ids).toEqual([]);
  expect(await addVectors(path, sourceOfArray(values, D))).toEqual({ firstId: 600, added: 600 });
  expect((await contents()).ids).toEqual(numbers(600, 1200));
});

/** Share of the true ten nearest that are the ten nearest of the decoded vectors. */
async function recall(values: ReadonlyMap<number, Float32Array>, queries: Float32Array): Promise<number> {
  const { ids, found } = await contents();
  const nearest = async (rows: ReadonlyMap<number, Float32Array>) => {
    const base = Float32Array.from(ids.flatMap((id) => [...(rows.get(id) ?? [])]));
    return (await searchExact(sourceOfArray(base, D), queries, 10, "l2")).ids;
  };
  const [truth, own] = [await nearest(values), await nearest(found)];
  let hits = 0;
  for (let at = 0; at < truth.length; at++) {
    const query = Math.floor(at / 10) * 10;
    if (truth.subarray(query, query + 10).includes(own[at] ?? -1)) hits++;
  }
  return hits / truth.length;
}

test("after 10 % churn and maintenance recall is within 0.005 of that of an index built anew", async () => {
  const shape = { d: D, clusters: 30, seed: 11 };
  const [n, churn] = [3000, 300];
  const values = clusteredRows({ n: n + churn, ...shape });
  const queries = clusteredRows({ n: 500, ...shape }, 2);
  await buildIndex(sourceOfArray(values.subarray(0, n * D), D), path, OPTIONS);
  await addVectors(path, sourceOfArray(values.subarray(n * D), D));
  await deleteVectors(
    path,
    Uint32Array.from(numbers(0, churn), (i) => 10 * i),
  );
  await maintainIndex(path);
  const kept = numbers(0, n + churn, (id) => id < n && id % 10 === 0);
  const maintained = await recall(new Map(kept.map((id) => [id, values.slice(id * D, (id + 1) * D)])), queries);
  const left = Float32Array.from(kept.flatMap((id) => [...values.subarray(id * D, (id + 1) * D)]));
  await buildIndex(sourceOfArray(left, D), path, OPTIONS);
  const anew = await recall(new Map(kept.map((_, i) => [i, left.slice(i * D, (i + 1) * D)])), queries);
  expect(anew).toBeGreaterThan(0.7);
  expect(maintained).toBeGreaterThan(anew - 0.005);
});

test("a list that was built so long is split only where its vectors are there to code again", async () => {
  const values = clusteredRows({ n: 100, ...SHAPE });
  const crowd = clusteredRows({ n: 900, d: D, clusters: 1, seed: 30 }).map((value) => value / 50);
  const source = sourceOfArray(new Float32Array([...values, ...crowd]), D);
  for (const [rerank, isSplit] of [
    [undefined, false],
    ["i8", true],
  ] as const) {
    await buildIndex(source, path, { ...OPTIONS, m: 12, rerank });
    const { m } = (await contents()).facts;
    expect(Math.max(...(await contents()).sizes) > (4 * 1000) / m).toBe(true);
    expect((await maintainIndex(path)).split > 0).toBe(isSplit);
  }
});
