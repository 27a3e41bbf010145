import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { buildIndex } from "./build-index.ts";
import { decodeIndex } from "./decode-index.ts";
import { searchExact } from "./exact-search.ts";
import { IndexFile } from "./index-file.ts";
import type { Metric } from "./model.ts";
import { Searcher } from "./search.ts";
import { SeededNormals } from "./seeded-vectors.suite.ts";
import { normalizeRows } from "./unit-source.ts";
import { sourceOfArray } from "./vector-source.ts";

/** Data whose rows fill few of their dimensions: what a bound takes for unlikely is common there. */
const N = 2000;
const Q = 200;
const K = 10;

const folder = mkdtempSync(join(tmpdir(), "lockstep-bounds-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Sums of `rank` random vectors, and a little in all directions. */
function flat(d: number, rank: number, noise: number): Float32Array {
  const random = new SeededNormals(1000 * d + rank);
  const directions = random.array(rank * d);
  const rows = new Float32Array((N + Q) * d);
  for (let from = 0; from < rows.length; from += d) {
    const weights = random.array(rank);
    for (let j = 0; j < d; j++) {
      const along = weights.reduce((sum, weight, i) => sum + 3 * weight * (directions[i * d + j] ?? 0), 0);
      rows[from + j] = along + noise * random.normal();
    }
  }
  return rows;
}

/** Points of one curve that turns through all dimensions: flat at each place, in another direction. */
function curved(d: number): Float32Array {
  const random = new SeededNormals(d);
  const turns = Array.from({ length: d }, () => ({ speed: 1 + 7 * random.uniform(), phase: 7 * random.uniform() }));
  return Float32Array.from({ length: N + Q }, () => random.uniform()).reduce(
    (rows, t, i) => {
      for (const [j, { speed, phase }] of turns.entries()) rows[i * d + j] = Math.sin(6 * speed * t + phase);
      return rows;
    },
    new Float32Array((N + Q) * d),
  );
}

/** Share of the nearest decoded rows that a search of all lists finds. */
async function shareFound(all: Float32Array, d: number, metric: Metric, codeBytes: number): Promise<number> {
  const base = all.slice(0, N * d);
  const queries = all.slice(N * d);
  const path = join(folder, "index.vlc");
  await buildIndex(sourceOfArray(base, d), path, { codeBytes, metric, seed: 1 });
  const file = await IndexFile.open(path);
  try {
    const found = new Searcher(await file.segment()).search(queries, K, { probes: file.facts.m });
    const decoded = new Float32Array(N * d);
    for await (const { ids, rows } of decodeIndex(file)) {
      for (const [i, id] of ids.entries()) decoded.set(rows.subarray(i * d, (i + 1) * d), id * d);
    }
    // Decoded rows are not of length 1 any more: a search compares them as they are.
    if (metric === "cosine") normalizeRows(queries, d, 0, "queries");
    const nearest = await searchExact(sourceOfArray(decoded, d), queries, K, metric === "ip" ? "ip" : "l2");
    let hits = 0;
    for (let at = 0; at < Q * K; at += K) {
      const ids = new Set(Array.from(nearest.ids.subarray(at, at + K), Number));
      hits += found.ids.subarray(at, at + K).filter((id) => ids.has(id)).length;
    }
    return hits / (Q * K);
  } finally {
    await file.close();
  }
}

const FLAT = [
  [3, 3, 0, 6],
  [4, 4, 0, 8],
  [33, 33, 1, 20],
  [64, 2, 0.001, 32],
  [64, 2, 0.01, 16],
  [128, 4, 0.01, 36],
] as const;

test.each(FLAT.flatMap((shape) => (["l2", "ip", "cosine"] as const).map((metric) => [...shape, metric] as const)))(
  "in %i dimensions, of which rows fill %i (and %f of noise), codes of %i bytes: %s finds what all decoded rows have nearest",
  async (d, rank, noise, codeBytes, metric) => {
    expect(await shareFound(flat(d, rank, noise), d, metric, codeBytes)).toBeGreaterThanOrEqual(0.99);
  },
);

test.each([
  [16, 8],
  [64, 16],
  [64, 32],
])("on a curve in %i dimensions, codes of %i bytes find what all decoded rows have nearest", async (d, codeBytes) => {
  expect(await shareFound(curved(d), d, "l2", codeBytes)).toBeGreaterThanOrEqual(0.99);
});
