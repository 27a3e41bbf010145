import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BuildOptions, buildIndex } from "./build-index.ts";
import type { BuildProgress } from "./build-progress.ts";
import { clusteredRows } from "./clustered-vectors.suite.ts";
import { decodeIndex } from "./decode-index.ts";
import { IndexFile } from "./index-file.ts";
import { unpackRerank } from "./rerank-row.ts";
import { sourceOfArray, type VectorSource } from "./vector-source.ts";

const OPTIONS: BuildOptions = { codeBytes: 12, metric: "l2", seed: 5 };
let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-build-index-"));
  path = join(folder, "a.vlc");
});
afterEach(() => rmSync(folder, { recursive: true }));

function clustered(n: number, d: number): Float32Array {
  return clusteredRows({ n, d, clusters: 12, seed: 3 });
}

/** Every vector that an index decodes to, by its id. */
async function decoded(file: IndexFile): Promise<Map<number, Float32Array>> {
  const { d } = file.facts;
  const found = new Map<number, Float32Array>();
  for await (const { ids, rows } of decodeIndex(file)) {
    for (const [i, id] of ids.entries()) found.set(id, rows.slice(i * d, (i + 1) * d));
  }
  return found;
}

function squaredDistance(x: Float32Array, y: Float32Array): number {
  return x.reduce((sum, value, j) => sum + (value - (y[j] ?? 0)) ** 2, 0);
}

test.for([
  [600, 24],
  [50, 16],
  [300, 7],
  [3, 40],
  [1, 5],
] as const)(
  "an index of %d vectors of %d numbers decodes to all of them, within the error that it states",
  async ([n, d]) => {
    const values = clustered(n, d);
    const { facts, error } = await buildIndex(sourceOfArray(values, d), path, OPTIONS);
    expect(facts).toMatchObject({ n, d, deleted: 0, nextId: n, metric: "l2", fileBytes: readFileSync(path).length });
    expect(facts.codeBytes).toBeLessThanOrEqual(OPTIONS.codeBytes);
    const file = await IndexFile.open(path);
    const found = await decoded(file);
    await file.close();
    let [squared, worst] = [0, 0];
    for (let id = 0; id < n; id++) {
      const distance = squaredDistance(found.get(id) ?? new Float32Array(0), values.subarray(id * d, (id + 1) * d));
      squared += distance;
      worst = Math.max(worst, distance);
    }
    expect(found.size).toBe(n);
    expect(error?.rms).toBeCloseTo(Math.sqrt(squared / n), 4);
    expect(error?.worst).toBeCloseTo(Math.sqrt(worst), 4);
    if (n > 100) expect(error?.relative).toBeLessThan(0.2);
  },
);

test("vectors that are the same have the same code, also when all are", async () => {
  const values = new Float32Array(40 * 16).fill(2.5);
  const { facts, error } = await buildIndex(sourceOfArray(values, 16), path, { ...OPTIONS, m: 4 });
  expect(facts.n).toBe(40);
  expect(error?.worst).toBeLessThan(0.01);
});

test("what is written does not depend on how much of it is held at a time", async () => {
  const source = sourceOfArray(clustered(500, 20), 20);
  const files = [];
  for (const windowBytes of [undefined, 7000, 61, 1]) {
    await buildIndex(source, path, { ...OPTIONS, rerank: "f16", windowBytes });
    files.push(readFileSync(path));
  }
  for (const file of files) expect(file.equals(files[0] ?? Buffer.alloc(0))).toBe(true);
});

test("finer rows are those that were given", async () => {
  const values = clustered(100, 20);
  await buildIndex(sourceOfArray(values, 20), path, { ...OPTIONS, rerank: "f16" });
  const file = await IndexFile.open(path);
  const { ids, rerank } = await file.segment();
  const row = new Float32Array(20);
  for (const [position, id] of ids.entries()) {
    unpackRerank("f16", rerank?.read(position) ?? new Uint8Array(0), row);
    for (const [j, value] of row.entries()) expect(value).toBeCloseTo(values[id * 20 + j] ?? 0, 2);
  }
  await file.close();
});

test("for cosine vectors are brought to length 1, and one of zeros is refused by its number", async () => {
  const values = clustered(200, 16);
  await buildIndex(sourceOfArray(values, 16), path, { ...OPTIONS, codeBytes: 16, metric: "cosine" });
  const file = await IndexFile.open(path);
  for (const row of (await decoded(file)).values()) {
    expect(Math.abs(Math.sqrt(squaredDistance(row, new Float32Array(16))) - 1)).toBeLessThan(0.1);
  }
  await file.close();
  const before = readFileSync(path);
  values.fill(0, 16 * 77, 16 * 78);
  const built = buildIndex(sourceOfArray(values, 16), path, { ...OPTIONS, metric: "cosine" });
  await expect(built).rejects.toMatchObject({ code: "zero-vector", place: { row: 77 } });
  expect(readFileSync(path)).toEqual(before);
});

/** A source that fails, or does something, when a row is read for the `count`th time. */
function interrupted(source: VectorSource, count: number, then: () => void): VectorSource {
  let reads = 0;
  return {
    ...source,
    read: async (row, out) => {
      if (row === 0 && ++reads === count) then();
      return await source.read(row, out);
    },
  };
}

test("a build that fails or is aborted, wherever, leaves the index that was there and nothing else", async () => {
  const source = sourceOfArray(clustered(300, 16), 16);
  await buildIndex(source, path, OPTIONS);
  const before = readFileSync(path);
  let passes = 0;
  const counting: VectorSource = {
    ...source,
    read: async (row, out) => {
      if (row === 0) passes++;
      return await source.read(row, out);
    },
  };
  await buildIndex(counting, path, OPTIONS);
  expect(passes).toBeGreaterThan(1);
  for (let pass = 1; pass <= passes; pass++) {
    const failing = interrupted(source, pass, () => {
      throw new RangeError("the disk is gone");
    });
    await expect(buildIndex(failing, path, { ...OPTIONS, seed: 6 })).rejects.toThrow("the disk is gone");
    const aborter = new AbortController();
    const aborted = interrupted(source, pass, () => aborter.abort(new RangeError("enough")));
    const { signal } = aborter;
    await expect(buildIndex(aborted, path, { ...OPTIONS, seed: 6, signal })).rejects.toThrow("enough");
    expect(readdirSync(folder)).toEqual(["a.vlc"]);
  }
  expect(readFileSync(path).equals(before)).toBe(true);
});

test("progress goes through the stages, each to its end", async () => {
  const seen: BuildProgress[] = [];
  await buildIndex(sourceOfArray(clustered(400, 16), 16), path, { ...OPTIONS, progress: (told) => seen.push(told) });
  const stages = [...new Set(seen.map(({ stage }) => stage))];
  expect(stages.at(-1)).toBe("encode");
  expect(stages.length).toBeGreaterThan(1);
  const last = seen.findLast(({ stage }) => stage === "encode");
  expect(last).toMatchObject({ done: 400, total: 400 });
});

test("a place where nothing can be written is refused before the vectors are read", async () => {
  const source = sourceOfArray(clustered(300, 16), 16);
  const unread = interrupted(source, 1, () => expect.unreachable());
  await expect(buildIndex(unread, join(folder, "none", "a.vlc"), OPTIONS)).rejects.toMatchObject({ code: "ENOENT" });
});
