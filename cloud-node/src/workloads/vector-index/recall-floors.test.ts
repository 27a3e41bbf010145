import { expect, test } from "vitest";
import { searchExact } from "./exact-search.ts";
import { newCodedRows, ResidualCoder } from "./residual-coder.ts";
import { Searcher } from "./search.ts";
import { SeededNormals } from "./seeded-vectors.suite.ts";
import { trainModel } from "./train-model.ts";
import { sourceOfArray } from "./vector-source.ts";

const D = 64;
const N = 4000;
const Q = 100;
const K = 10;

/** Rows around 40 centres, spreads falling by dimension; their last Q are the queries. */
function clustered(): { base: Float32Array; queries: Float32Array } {
  const random = new SeededNormals(77);
  const spread = (j: number) => (1 + j) ** -0.4;
  const centres = Float32Array.from({ length: 40 * D }, (_, at) => random.normal() * spread(at % D));
  const all = new Float32Array((N + Q) * D);
  for (let i = 0; i < N + Q; i++) {
    const centre = Math.floor(random.uniform() * 40) * D;
    for (let j = 0; j < D; j++) all[i * D + j] = (centres[centre + j] ?? 0) + 0.7 * spread(j) * random.normal();
  }
  return { base: all.slice(0, N * D), queries: all.slice(N * D) };
}

const { base, queries } = clustered();
const exact = await searchExact(sourceOfArray(base, D), queries, K, "l2");

/** Share of the exact nearest that a search finds. */
async function recallAt(codeBytes: number, probedShare: number): Promise<number> {
  const { model, lists } = await trainModel(sourceOfArray(base, D), { codeBytes, metric: "l2", seed: 5, m: 64 });
  const order = Uint32Array.from(lists.keys()).sort((a, b) => (lists[a] ?? 0) - (lists[b] ?? 0) || a - b);
  const coder = new ResidualCoder(model);
  expect(coder.codeBytes).toBeLessThanOrEqual(codeBytes);
  const coded = newCodedRows(N, coder.codeBytes);
  const rows = new Float32Array(N * D);
  order.forEach((row, at) => {
    rows.set(base.subarray(row * D, (row + 1) * D), at * D);
  });
  coder.encode(
    rows,
    order.map((row) => lists[row] ?? 0),
    coded,
  );
  const listOffsets = new Uint32Array(model.m + 1);
  for (const list of lists) listOffsets.fill((listOffsets[list + 1] ?? 0) + 1, list + 1, list + 2);
  for (let list = 0; list < model.m; list++)
    listOffsets[list + 1] = (listOffsets[list + 1] ?? 0) + (listOffsets[list] ?? 0);
  const probes = Math.ceil(model.m * probedShare);
  const found = new Searcher({ model, listOffsets, ids: order, ...coded }).search(queries, K, { probes });
  let hits = 0;
  for (let i = 0; i < Q * K; i += K) {
    const nearest = new Set(Array.from(exact.ids.subarray(i, i + K), Number));
    hits += found.ids.subarray(i, i + K).filter((id) => nearest.has(id)).length;
  }
  return hits / (Q * K);
}

test.each([
  [18, 1, 0.8],
  [34, 1, 0.92],
  [64, 1, 0.98],
  [34, 0.25, 0.88],
])(
  "codes of %i bytes for 64 numbers, %f of the lists visited, find at least %f of the ten nearest",
  async (bytes, share, floor) => {
    const recall = await recallAt(bytes, share);
    expect(recall).toBeGreaterThanOrEqual(floor);
  },
);
