import { expect, test } from "vitest";
import { assignRows } from "./assign-rows.ts";
import { generatedClusters } from "./generated-vectors.suite.ts";
import type { IndexModel } from "./model.ts";
import { trainModel } from "./train-model.ts";
import { sourceOfArray } from "./vector-source.ts";

const DATA = generatedClusters(12, { n: 2000, d: 20, clusters: 40, spread: 0.5 });

async function train() {
  return trainModel(sourceOfArray(DATA.rows, DATA.d), { codeBytes: 8, metric: "l2", seed: 1, m: 60 });
}

/** Squared distances of a row to all anchors, in doubles. */
function distancesOf({ d, paddedD: D, m, rotation, mean, anchors }: IndexModel, row: Float32Array): number[] {
  const z = Float64Array.from({ length: D }, (_, r) => {
    let sum = 0;
    for (let j = 0; j < d; j++) sum += (rotation[r * D + j] ?? 0) * ((row[j] ?? 0) - (mean[j] ?? 0));
    return sum;
  });
  return Array.from({ length: m }, (_, a) => z.reduce((sum, x, r) => sum + (x - (anchors[a * D + r] ?? 0)) ** 2, 0));
}

test("rows that a model has not seen get their nearest anchor", async () => {
  const { model } = await train();
  const other = generatedClusters(13, { n: 500, d: 20, clusters: 70, spread: 0.8 });
  const lists = await assignRows(sourceOfArray(other.rows, 20), model);
  for (let i = 0; i < 500; i++) {
    const distances = distancesOf(model, other.rows.subarray(i * 20, (i + 1) * 20));
    // The grid's rounding may decide between anchors that are as good as equally far.
    expect(distances[lists[i] ?? 0]).toBeLessThan(1.002 * Math.min(...distances));
  }
});

test("the rows of training get the lists that training gave them, but where two are as good as equally far", async () => {
  const { model, lists } = await train();
  const again = await assignRows(sourceOfArray(DATA.rows, 20), model);
  expect(again.filter((list, i) => list !== lists[i]).length).toBeLessThan(5);
});

test("rows far outside all that was trained on are assigned all the same", async () => {
  const { model } = await train();
  const far = Float32Array.from({ length: 40 }, (_, j) => (j < 20 ? 1e6 : -1e15));
  const lists = await assignRows(sourceOfArray(far, 20), model);
  expect(lists.every((list) => list < model.m)).toBe(true);
});
