import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildIndex } from "./build-index.ts";
import { generatedClusters } from "./generated-vectors.suite.ts";
import { IndexFile } from "./index-file.ts";
import { Searcher } from "./search.ts";
import { sourceOfArray } from "./vector-source.ts";

const D = 24;
const N = 1500;
const ALL = generatedClusters(10, { n: N + 50, d: D, clusters: 30, spread: 0.6, decay: 0.6 }).rows;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-tiny-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Build of the rows times a factor, and search for the queries times that. */
async function foundAt(factor: number, metric: "l2" | "ip") {
  const path = join(folder, "a.vlc");
  const scaled = ALL.map((value) => value * factor);
  await buildIndex(sourceOfArray(scaled.subarray(0, N * D), D), path, { codeBytes: 14, metric, seed: 1 });
  const file = await IndexFile.open(path);
  const segment = await file.segment();
  const { ids } = new Searcher(segment).search(scaled.subarray(N * D), 10, { probes: file.facts.m });
  await file.close();
  return { codes: segment.codes, scales: segment.scales, terms: segment.terms, ids };
}

// A power of two changes no digit of a number. The largest value here is between 2 and 4.
test.each([
  ["l2", 2 ** 50],
  ["l2", 2 ** -46],
  ["ip", 2 ** 50],
  ["ip", 2 ** -46],
] as const)("%s: the codes and what is found are the same for all vectors times %d", async (metric, factor) => {
  expect(await foundAt(factor, metric)).toEqual(await foundAt(1, metric));
});

test("vectors that differ by too little for single precision are refused by name", async () => {
  for (const factor of [2 ** -49, 1e-18, 1e-22, 1e-37]) {
    await expect(foundAt(factor, "l2")).rejects.toMatchObject({ code: "too-small", place: { file: "the vectors" } });
  }
});
