import { expect, test } from "vitest";
import { seededUniform } from "../generated-vectors.suite.ts";
import { cpuKernels } from "./cpu-kernels.ts";

const RANGE = 2047;

function gridValues(seed: number, count: number): Int16Array {
  const uniform = seededUniform(seed);
  return Int16Array.from({ length: count }, () => Math.floor(uniform() * (2 * RANGE + 1)) - RANGE);
}

/** Squared distances of one row to all anchors, in doubles, which hold them exactly. */
function distancesOf(row: Int16Array, anchors: Int16Array): number[] {
  const D = row.length;
  return Array.from({ length: anchors.length / D }, (_, a) =>
    row.reduce((sum, x, j) => sum + (x - (anchors[a * D + j] ?? 0)) ** 2, 0),
  );
}

test.each([
  [1, 1, 16],
  [3, 2, 16],
  [67, 8, 32],
  [130, 9, 48],
  [65, 41, 128],
])("%d rows find the nearest of %d anchors in %d dimensions, and the next", async (k, m, D) => {
  const kernels = cpuKernels({ paddedD: D, range: RANGE });
  const rows = gridValues(k, k * D);
  const anchors = gridValues(m + 100, m * D);
  await kernels.load(rows);
  const { ids, distances, seconds } = await kernels.assign(anchors, k);
  for (let i = 0; i < k; i++) {
    const all = distancesOf(rows.subarray(i * D, (i + 1) * D), anchors);
    const sorted = all.toSorted((a, b) => a - b);
    expect([ids[i], distances[i], seconds[i]]).toEqual([
      all.indexOf(sorted[0] ?? -1),
      sorted[0],
      sorted[1] ?? 2 ** 31 - 1,
    ]);
  }
});

test("the farthest apart that two points of the grid can be is still a distance", async () => {
  const D = 128;
  const kernels = cpuKernels({ paddedD: D, range: RANGE });
  await kernels.load(new Int16Array(D).fill(RANGE));
  const { distances } = await kernels.assign(new Int16Array(D).fill(-RANGE), 1);
  expect([...distances]).toEqual([D * (2 * RANGE) ** 2]);
});

test("of several anchors at the same distance, the lowest is taken, wherever in a panel they are", async () => {
  const D = 16;
  const kernels = cpuKernels({ paddedD: D, range: RANGE });
  await kernels.load(new Int16Array(D));
  for (const first of [0, 1, 5, 8, 13]) {
    const anchors = new Int16Array(20 * D).fill(100);
    for (const twin of [first, first + 1, first + 4, first + 6]) anchors.fill(7, twin * D, (twin + 1) * D);
    const { ids, distances, seconds } = await kernels.assign(anchors, 1);
    expect([ids[0], distances[0], seconds[0]]).toEqual([first, 49 * D, 49 * D]);
  }
});

test("an anchor moves to the rounded mean of the rows that count, by their weights, and without rows stays", async () => {
  const D = 16;
  const kernels = cpuKernels({ paddedD: D, range: RANGE });
  const values = [10, 13, -20, -23, 900];
  await kernels.load(Int16Array.from({ length: 5 * D }, (_, at) => values[Math.floor(at / D)] ?? 0));
  const anchors = Int16Array.from({ length: 3 * D }, (_, at) => [12, -21, 2000][Math.floor(at / D)] ?? 0);
  await kernels.assign(anchors, 5);
  const { sums, counts } = await kernels.reduce(Uint8Array.of(1, 1, 2, 1, 0));
  expect([...counts]).toEqual([2, 3, 0]);
  expect([sums[0], sums[D], sums[2 * D]]).toEqual([23, -63, 0]);
  const moved = await kernels.update({ seed: 1, amplitudes: new Int32Array(D) });
  expect([moved[0], moved[D], moved[2 * D]]).toEqual([12, -21, 2000]);
});

test("noise has the standard deviation asked for and no bias, and never leaves the grid", async () => {
  const D = 128;
  const kernels = cpuKernels({ paddedD: D, range: RANGE });
  const m = 200;
  const anchors = gridValues(5, m * D).map((value) => value >> 1);
  await kernels.load(anchors);
  await kernels.assign(anchors, m);
  await kernels.reduce(new Uint8Array(m).fill(1));
  const still = await kernels.update({ seed: 9, amplitudes: new Int32Array(D) });
  const disturb = async (seed: number, steps: number) => {
    await kernels.assign(anchors, m);
    await kernels.reduce(new Uint8Array(m).fill(1));
    return kernels.update({ seed, amplitudes: new Int32Array(D).fill(Math.round((steps * 65_536) / 147.8)) });
  };
  const noise = Float64Array.from(await disturb(9, 50), (value, i) => value - (still[i] ?? 0));
  const mean = noise.reduce((a, b) => a + b, 0) / noise.length;
  const variance = noise.reduce((sum, x) => sum + (x - mean) ** 2, 0) / noise.length;
  // Five standard errors of each, from 25,600 draws.
  expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(50 ** 2 / noise.length));
  expect(Math.abs(variance / 50 ** 2 - 1)).toBeLessThan(5 * Math.sqrt(2 / noise.length));
  expect(await disturb(9, 50)).not.toEqual(await disturb(10, 50));
  const wild = await disturb(9, 3000);
  expect([Math.min(...wild), Math.max(...wild)]).toEqual([-RANGE, RANGE]);
});
