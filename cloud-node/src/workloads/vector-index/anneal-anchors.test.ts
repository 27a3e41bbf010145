import { expect, test } from "vitest";
import { annealAnchors, meanEnergy, startingState } from "./anneal-anchors.ts";
import { CounterRandom } from "./counter-random.ts";
import { type GeneratedClusters, generatedClusters, normalOf, seededUniform } from "./generated-vectors.suite.ts";
import type { AnchorKernels } from "./kernels/anchor-kernels.ts";
import { cpuKernels } from "./kernels/cpu-kernels.ts";
import { startAnchors } from "./start-anchors.ts";
import type { AnnealingStep, RobustMean } from "./train-options.ts";
import { TrainingCore } from "./training-core.ts";
import { drawSample, type TrainingSample } from "./training-sample.ts";
import { sourceOfArray } from "./vector-source.ts";

interface Prepared {
  readonly core: TrainingCore;
  readonly sample: TrainingSample;
  readonly kernels: AnchorKernels;
  readonly start: Int16Array;
}

/** All rows as the sample, and a start for m anchors. */
async function prepare({ rows, n, d }: GeneratedClusters, m: number, seed: number, share = 0): Promise<Prepared> {
  const core = new TrainingCore();
  const sample = await drawSample(core, sourceOfArray(rows, d), n, new CounterRandom(core, seed, 0), 16, () => {});
  const kernels = cpuKernels(sample.grid);
  const random = new CounterRandom(core, seed, 1);
  const start = await startAnchors(kernels, sample.rows, sample.grid.paddedD, m, random, share);
  return { core, sample, kernels, start };
}

async function anneal({ core, sample, kernels, start }: Prepared, iterations: number, robust?: RobustMean) {
  const log: AnnealingStep[] = [];
  const state = await annealAnchors(kernels, sample, startingState(start, iterations), new CounterRandom(core, 1, 2), {
    robust,
    signal: undefined,
    log: (step) => log.push(step),
    reached: async () => {},
  });
  return { state, log };
}

async function energyOf({ sample, kernels }: Prepared, anchors: Int16Array): Promise<number> {
  const k = sample.rows.length / sample.grid.paddedD;
  await kernels.load(sample.rows);
  return meanEnergy(await kernels.assign(anchors, k), sample.grid.perUnit);
}

/** Lloyd's iterations and nothing else. */
async function plainMeans({ sample, kernels, start }: Prepared, iterations: number): Promise<Int16Array> {
  const { paddedD } = sample.grid;
  const k = sample.rows.length / paddedD;
  await kernels.load(sample.rows);
  let anchors = start;
  for (let i = 0; i < iterations; i++) {
    await kernels.assign(anchors, k);
    await kernels.reduce(new Uint8Array(k).fill(1));
    anchors = await kernels.update({ seed: 0, amplitudes: new Int32Array(paddedD) });
  }
  return anchors;
}

/** How far two groupings agree beyond chance. @see Hubert and Arabie 1985, "Comparing partitions" */
function adjustedRandIndex(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const pairs = (count: number) => (count * (count - 1)) / 2;
  const tally = (keys: Iterable<string | number>) =>
    [...Map.groupBy(keys, (key) => key).values()].reduce((sum, { length }) => sum + pairs(length), 0);
  const both = tally(Array.from(a, (x, i) => `${x} ${b[i]}`));
  const expected = (tally(Array.from(a)) * tally(Array.from(b))) / pairs(a.length);
  return (both - expected) / ((tally(Array.from(a)) + tally(Array.from(b))) / 2 - expected);
}

test("three blobs of 1,000 x 128 are found exactly, and the energy falls", async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const data = generatedClusters(seed, { n: 1000, d: 128, clusters: 3, spread: 0.5 });
    const prepared = await prepare(data, 3, seed);
    const { state, log } = await anneal(prepared, 8);
    await prepared.kernels.load(prepared.sample.rows);
    const { ids } = await prepared.kernels.assign(state.anchors, 1000);
    expect(adjustedRandIndex(ids, data.clusters), `seed ${seed}`).toBe(1);
    for (let i = 1; i < log.length; i++) expect(log[i]?.energy).toBeLessThan(log[i - 1]?.energy ?? 0);
    // What is left is the blobs' own variance; a hundredth is more than their sampling error.
    expect(Math.abs((await energyOf(prepared, state.anchors)) / (128 * 0.25) - 1)).toBeLessThan(0.01);
  }
});

test("annealing leaves less energy than as many plain iterations from the same start", async () => {
  const ratios: number[] = [];
  for (const seed of [1, 2, 3]) {
    for (const iterations of [8, 12]) {
      const data = generatedClusters(seed, { n: 4000, d: 32, clusters: 90, spread: 0.6, decay: 0.5 });
      const prepared = await prepare(data, 160, seed);
      const annealed = await energyOf(prepared, (await anneal(prepared, iterations)).state.anchors);
      ratios.push(annealed / (await energyOf(prepared, await plainMeans(prepared, iterations))));
    }
  }
  // 1.01 is what must hold, and 0.98 what is aimed at.
  for (const ratio of ratios) expect(ratio).toBeLessThan(0.98);
});

test("the temperature falls by the same factor each time, and the last iterations only settle", async () => {
  const data = generatedClusters(6, { n: 2000, d: 16, clusters: 50, spread: 0.9 });
  const { log } = await anneal(await prepare(data, 100, 6), 8);
  const temperatures = log.map((step) => step.temperature);
  expect(temperatures.length).toBe(8);
  expect(temperatures.slice(6)).toEqual([0, 0]);
  for (let i = 1; i < 6; i++) {
    expect((temperatures[i] ?? 0) / (temperatures[i - 1] ?? 1)).toBeCloseTo((temperatures[1] ?? 0) / 1, 12);
  }
  expect(log[0]?.changes).toBe(2000);
  expect(log.at(-1)?.changes).toBeLessThan(100);
});

test("annealing ends early once nothing moves any more", async () => {
  const data = generatedClusters(7, { n: 600, d: 16, clusters: 3, spread: 0.05 });
  const { state, log } = await anneal(await prepare(data, 3, 7), 50);
  expect(state.iteration).toBeLessThan(20);
  expect(log.map((step) => step.temperature).slice(-2)).toEqual([0, 0]);
  expect(log.at(-1)?.changes).toBe(0);
});

const OUTLIER_SHARE = 0.05;

/** Clusters of which one row in twenty lies far out, in a direction of its own; not so far that the grid leaves it out. */
function withOutliers(seed: number): GeneratedClusters {
  const data = generatedClusters(seed, { n: 2000, d: 32, clusters: 8, spread: 0.3 });
  const uniform = seededUniform(seed + 100);
  const every = 1 / OUTLIER_SHARE;
  for (let i = 0; i < data.n; i += every) {
    for (let j = 0; j < data.d; j++) data.rows[i * data.d + j] = 5 * normalOf(uniform) + 2.5;
  }
  return data;
}

/** Root mean squared distance from each true centre to the anchor nearest to it. */
function centreError({ centres, d }: GeneratedClusters, anchors: Int16Array, { grid }: TrainingSample): number {
  const { paddedD, mean, perUnit } = grid;
  let sum = 0;
  for (let c = 0; c < centres.length; c += d) {
    let nearest = Number.POSITIVE_INFINITY;
    for (let a = 0; a < anchors.length; a += paddedD) {
      let distance = 0;
      for (let j = 0; j < d; j++) {
        const x = (anchors[a + j] ?? 0) / perUnit + (mean[j] ?? 0);
        distance += (x - (centres[c + j] ?? 0)) ** 2;
      }
      nearest = Math.min(nearest, distance);
    }
    sum += nearest;
  }
  return Math.sqrt(sum / (centres.length / d));
}

test.each(["trimmed", "huber"] as const)(
  "with 5 % outliers, %s means are at most half as far from the centres as plain ones",
  async (kind) => {
    for (const seed of [1, 2, 3]) {
      const data = withOutliers(seed);
      const robust = { kind, share: 0.06 };
      const careful = await prepare(data, 8, seed, robust.share);
      const plain = await prepare(data, 8, seed);
      const robustError = centreError(data, (await anneal(careful, 10, robust)).state.anchors, careful.sample);
      const plainError = centreError(data, (await anneal(plain, 10)).state.anchors, plain.sample);
      expect(robustError / plainError, `seed ${seed}`).toBeLessThan(0.5);
    }
  },
);

test("on data without outliers, trimming costs little energy, and the log counts what was trimmed", async () => {
  const data = generatedClusters(8, { n: 3000, d: 32, clusters: 60, spread: 0.5, decay: 0.5 });
  const prepared = await prepare(data, 100, 8);
  const trimmed = await anneal(prepared, 10, { kind: "trimmed", share: 0.05 });
  const plain = await anneal(prepared, 10);
  const ratio = (await energyOf(prepared, trimmed.state.anchors)) / (await energyOf(prepared, plain.state.anchors));
  expect(ratio).toBeLessThan(1.02);
  // Of all rows: the log's last line is one iteration behind, which by then is hardly anything.
  const logged = trimmed.log.at(-1)?.energy ?? 0;
  expect(Math.abs(logged / (await energyOf(prepared, trimmed.state.anchors)) - 1)).toBeLessThan(0.005);
});
