import { expect, test } from "vitest";
import { generatedClusters } from "./generated-vectors.suite.ts";
import { GROUP_DIMS } from "./model.ts";
import { trainModel } from "./train-model.ts";
import type { AnnealingStep, TrainOptions } from "./train-options.ts";
import { sourceOfArray } from "./vector-source.ts";

const OPTIONS: TrainOptions = { codeBytes: 12, metric: "l2", seed: 7 };

const DATA = generatedClusters(3, { n: 1500, d: 40, clusters: 60, spread: 0.5, decay: 0.5 });
const SOURCE = () => sourceOfArray(DATA.rows, DATA.d);

test("the rotation is orthogonal, and in it residuals have the deviations said, hardly correlated across groups", async () => {
  const { model, lists } = await trainModel(SOURCE(), OPTIONS);
  const { d, paddedD: D, m, rotation, mean, anchors, sigma } = model;
  expect([d, D, m, lists.length]).toEqual([40, 48, 194, 1500]);
  for (let i = 0; i < D; i++) {
    for (let j = 0; j <= i; j++) {
      let product = 0;
      for (let at = 0; at < D; at++) product += (rotation[i * D + at] ?? 0) * (rotation[j * D + at] ?? 0);
      expect(Math.abs(product - (i === j ? 1 : 0))).toBeLessThan(1e-6);
    }
  }
  const variances = new Float64Array(D);
  for (let i = 0; i < DATA.n; i++) {
    for (let r = 0; r < D; r++) {
      let z = -(anchors[(lists[i] ?? 0) * D + r] ?? 0);
      for (let j = 0; j < d; j++) {
        z += (rotation[r * D + j] ?? 0) * ((DATA.rows[i * d + j] ?? 0) - (mean[j] ?? 0));
      }
      variances[r] = (variances[r] ?? 0) + z * z;
    }
  }
  const largest = Math.max(...sigma);
  for (let r = 0; r < D; r++) {
    expect(sigma[r]).toBeGreaterThan(0);
    expect(Math.abs(Math.sqrt((variances[r] ?? 0) / DATA.n) - (sigma[r] ?? 0))).toBeLessThan(0.002 * largest);
  }
});

test("groups cover all dimensions by falling bits, and cost what the budget allows", async () => {
  const { model } = await trainModel(SOURCE(), OPTIONS);
  let next = 0;
  let bits = 0;
  for (const group of model.groups) {
    expect(group.from).toBe(next);
    expect((group.to - group.from) % GROUP_DIMS).toBe(0);
    bits += group.bits * (group.to - group.from);
    next = group.to;
  }
  expect(next).toBe(model.paddedD);
  expect(bits / 8).toBeLessThanOrEqual(OPTIONS.codeBytes);
  expect(bits / 8).toBeGreaterThan(OPTIONS.codeBytes - GROUP_DIMS / 8);
  expect(model.groups.map((group) => group.bits)).toEqual(
    model.groups.map((group) => group.bits).toSorted((a, b) => b - a),
  );
});

test("every row's list is that of its nearest anchor", async () => {
  const { model, lists } = await trainModel(SOURCE(), OPTIONS);
  const { d, paddedD: D, m, rotation, mean, anchors } = model;
  for (let i = 0; i < DATA.n; i += 7) {
    const z = Float64Array.from({ length: D }, (_, r) => {
      let sum = 0;
      for (let j = 0; j < d; j++) sum += (rotation[r * D + j] ?? 0) * ((DATA.rows[i * d + j] ?? 0) - (mean[j] ?? 0));
      return sum;
    });
    const distance = (a: number) => z.reduce((sum, x, r) => sum + (x - (anchors[a * D + r] ?? 0)) ** 2, 0);
    const nearest = Math.min(...Array.from({ length: m }, (_, a) => distance(a)));
    // The grid and half precision round both, each by less than a thousandth of the distance.
    expect(distance(lists[i] ?? 0)).toBeLessThan(nearest * 1.002);
  }
});

test("anchors are half floats times the power of two said", async () => {
  const { model } = await trainModel(SOURCE(), OPTIONS);
  const scale = 2 ** model.anchorExponent;
  expect(model.anchors.some((value) => value !== 0)).toBe(true);
  for (const value of model.anchors) expect(Math.f16round(value / scale) * scale).toBe(value);
});

test("the same seed gives the same model, and another seed another one", async () => {
  const [a, b, c] = [
    await trainModel(SOURCE(), OPTIONS),
    await trainModel(SOURCE(), OPTIONS),
    await trainModel(SOURCE(), { ...OPTIONS, seed: 8 }),
  ];
  expect(a).toEqual(b);
  expect(a.model.anchors).not.toEqual(c.model.anchors);
});

test("more rows than the sample takes are all assigned, and the log says how training went", async () => {
  const data = generatedClusters(4, { n: 20_000, d: 16, clusters: 40, spread: 0.4 });
  const log: AnnealingStep[] = [];
  const { model, lists } = await trainModel(sourceOfArray(data.rows, 16), {
    ...OPTIONS,
    codeBytes: 6,
    m: 40,
    log: (step) => log.push(step),
  });
  expect(model.m).toBe(40);
  expect(new Set(lists).size).toBe(40);
  const last = log.at(-1);
  expect([last?.rows, last?.temperature]).toEqual([20_000, 0]);
  expect(log.map((step) => step.iteration)).toEqual(log.map((_, i) => i + 1));
  expect(log[0]?.temperature).toBe(1);
  // 40 well separated clusters: what is left is their own variance, 16 · 0.4².
  expect(last?.energy).toBeLessThan(16 * 0.4 ** 2 * 1.01);
  expect(last?.energy).toBeGreaterThan(16 * 0.4 ** 2 * 0.95);
});

test.each([
  ["one row", Float32Array.of(1, 2, 3), 3, 1],
  ["one dimension", Float32Array.from({ length: 50 }, (_, i) => i % 7), 1, 7],
  ["rows that are all the same", new Float32Array(60).fill(4), 3, 1],
  ["fewer different rows than anchors", Float32Array.from({ length: 60 }, (_, i) => Math.floor(i / 3) % 2), 3, 2],
])("%s can be trained on", async (_, rows, d, anchors) => {
  const { model, lists } = await trainModel(sourceOfArray(rows, d), { ...OPTIONS, codeBytes: 2 });
  expect(model.m).toBe(anchors);
  expect(lists.length).toBe(rows.length / d);
  expect(model.sigma.every((value) => value > 0 && Number.isFinite(value))).toBe(true);
  expect(model.anchors.every(Number.isFinite)).toBe(true);
  expect(model.rotation.every(Number.isFinite)).toBe(true);
});

test.each([
  [{ m: 1501 }, "too-few"],
  [{ m: 0 }, "bad-option"],
  [{ m: 2.5 }, "bad-option"],
  [{ codeBytes: 1 }, "bad-option"],
  [{ codeBytes: 4.5 }, "bad-option"],
] as const)("%o is refused as %s", async (options, code) => {
  await expect(trainModel(SOURCE(), { ...OPTIONS, ...options })).rejects.toMatchObject({ code });
});

test("training ends at once when it is told to", async () => {
  const controller = new AbortController();
  const training = trainModel(SOURCE(), { ...OPTIONS, signal: controller.signal, log: () => controller.abort() });
  await expect(training).rejects.toMatchObject({ name: "AbortError" });
});

test("a source that ends early is refused by its name", async () => {
  const source = { ...SOURCE(), name: "a.npy", read: async () => 0 };
  await expect(trainModel(source, OPTIONS)).rejects.toMatchObject({ code: "truncated", place: { file: "a.npy" } });
});
