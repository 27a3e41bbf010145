import { expect, test } from "vitest";
import { allocateBits, type DistortionTable } from "./bit-allocation.ts";
import { CODE_DISTORTION } from "./code-distortion.ts";
import { seededUniform } from "./generated-vectors.suite.ts";
import { BIT_DEPTHS, type BitDepth } from "./model.ts";

/** Six decibels a bit, as high-rate theory has it. */
const IDEAL: DistortionTable = {
  0: 1,
  1: 4 ** -1,
  2: 4 ** -2,
  3: 4 ** -3,
  4: 4 ** -4,
  5: 4 ** -5,
  6: 4 ** -6,
  8: 4 ** -8,
};

function depthsOf(variances: Float64Array, codeBytes: number, table: DistortionTable): BitDepth[] {
  return allocateBits(variances, codeBytes, table).flatMap(({ bits, from, to }) =>
    Array.from({ length: (to - from) / 16 }, () => bits),
  );
}

function errorOf(energies: readonly number[], depths: readonly BitDepth[], table: DistortionTable): number {
  return energies.reduce((sum, energy, g) => sum + energy * table[depths[g] ?? 0], 0);
}

/** The least error of any allocation within the budget: all of them are tried. */
function leastError(energies: readonly number[], budget: number, table: DistortionTable): number {
  const [energy, ...rest] = energies;
  if (energy === undefined) return 0;
  return Math.min(
    ...BIT_DEPTHS.filter((depth) => depth <= budget && table[depth] < Number.POSITIVE_INFINITY).map(
      (depth) => energy * table[depth] + leastError(rest, budget - depth, table),
    ),
  );
}

test("no allocation within the budget has less error", () => {
  const uniform = seededUniform(11);
  for (let trial = 0; trial < 40; trial++) {
    const energies = Array.from({ length: 4 }, () => 10 ** (4 * uniform())).sort((a, b) => b - a);
    const variances = Float64Array.from({ length: 64 }, (_, j) => (energies[Math.floor(j / 16)] ?? 0) / 16);
    const budget = 1 + Math.floor(uniform() * 20);
    for (const table of [IDEAL, CODE_DISTORTION]) {
      const depths = depthsOf(variances, 2 * budget, table);
      const used = depths.reduce<number>((sum, depth) => sum + depth, 0);
      expect(used).toBeLessThanOrEqual(budget);
      expect(errorOf(energies, depths, table) / leastError(energies, budget, table)).toBeCloseTo(1, 12);
    }
  }
});

test("equal variances get equal bits, and a depth that the coder does not have is never given", () => {
  expect(allocateBits(new Float64Array(64).fill(3), 16, IDEAL)).toEqual([{ bits: 2, from: 0, to: 64 }]);
  const steep = Float64Array.from({ length: 64 }, (_, j) => 1e6 ** -Math.floor(j / 16));
  expect(allocateBits(steep, 64, CODE_DISTORTION).map(({ bits }) => bits)).not.toContain(6);
});

test("dimensions in which nothing varies get no bits, however large the budget is", () => {
  const variances = Float64Array.from({ length: 48 }, (_, j) => (j < 16 ? 1 : 0));
  expect(allocateBits(variances, 1000, IDEAL)).toEqual([
    { bits: 8, from: 0, to: 16 },
    { bits: 0, from: 16, to: 48 },
  ]);
});
