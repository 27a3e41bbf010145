import { expect, test } from "vitest";
import { CounterRandom } from "./counter-random.ts";
import { normalOf, seededUniform } from "./generated-vectors.suite.ts";
import { mixGroups, principalBasis } from "./residual-basis.ts";
import { TrainingCore } from "./training-core.ts";

test("the eigenvalues of the second difference are those of its closed form", () => {
  const D = 48;
  const matrix = new Float64Array(D * D);
  for (let i = 0; i < D; i++) {
    matrix[i * D + i] = 2;
    if (i + 1 < D) matrix[i * D + i + 1] = -1;
  }
  const { variances } = principalBasis(new TrainingCore(), matrix, D);
  for (let i = 0; i < D; i++) {
    expect(variances[i]).toBeCloseTo(2 - 2 * Math.cos((Math.PI * (D - i)) / (D + 1)), 12);
  }
});

/** Xᵀ X of `rank` normal rows, of which all but some dimensions are 0. */
function gram(D: number, rank: number, used: number): Float64Array {
  const uniform = seededUniform(D + rank);
  const rows = Array.from({ length: rank }, () =>
    Float64Array.from({ length: D }, (_, j) => (j < used ? normalOf(uniform) / (1 + j) : 0)),
  );
  return Float64Array.from({ length: D * D }, (_, at) =>
    rows.reduce((sum, row) => sum + (row[Math.floor(at / D)] ?? 0) * (row[at % D] ?? 0), 0),
  );
}

test.each([
  [16, 40, 16],
  [64, 100, 64],
  [64, 5, 64],
  [160, 60, 90],
  [32, 0, 0],
])(
  "directions of %d dimensions from %d rows that use %d of them are orthogonal and reproduce the matrix",
  (D, rank, used) => {
    const matrix = gram(D, rank, used);
    const { variances, directions } = principalBasis(new TrainingCore(), matrix, D);
    let imageError = 0;
    let productError = 0;
    for (let i = 0; i < D; i++) {
      const row = directions.subarray(i * D, (i + 1) * D);
      for (let r = 0; r < D; r++) {
        const image = dot(row, matrix.subarray(r * D, (r + 1) * D));
        imageError = Math.max(imageError, Math.abs(image - (variances[i] ?? 0) * (row[r] ?? 0)));
        const product = dot(row, directions.subarray(r * D, (r + 1) * D));
        productError = Math.max(productError, Math.abs(product - (r === i ? 1 : 0)));
      }
    }
    expect(imageError).toBeLessThanOrEqual(1e-12 * D * (variances[0] ?? 0));
    expect(productError).toBeLessThan(1e-12 * D);
    expect(variances).toEqual(variances.toSorted((a, b) => b - a));
  },
);

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < x.length; j++) sum += (x[j] ?? 0) * (y[j] ?? 0);
  return sum;
}

test("mixing a group keeps its space and its variance, and makes its dimensions alike; what has no bits stays", () => {
  const D = 48;
  const core = new TrainingCore();
  const matrix = gram(D, 500, D);
  const basis = principalBasis(core, matrix, D);
  const groups = [
    { bits: 3, from: 0, to: 32 },
    { bits: 0, from: 32, to: 48 },
  ] as const;
  const { rotation, sigma } = mixGroups(basis, groups, new CounterRandom(core, 1, 3));
  const variance = (from: number, to: number, of: (i: number) => number) =>
    Array.from({ length: to - from }, (_, i) => of(from + i)).reduce((a, b) => a + b, 0);
  const before = variance(0, 32, (i) => basis.variances[i] ?? 0);
  expect(variance(0, 32, (i) => (sigma[i] ?? 0) ** 2) / before).toBeCloseTo(1, 5);
  for (let i = 0; i < D; i++) {
    // The deviation said is that of the matrix along the row.
    const row = rotation.subarray(i * D, (i + 1) * D);
    let along = 0;
    for (let r = 0; r < D; r++)
      for (let c = 0; c < D; c++) along += (row[r] ?? 0) * (matrix[r * D + c] ?? 0) * (row[c] ?? 0);
    expect(Math.sqrt(Math.max(0, along)) / (sigma[i] ?? 0)).toBeCloseTo(1, 2);
  }
  expect(rotation.subarray(32 * D)).toEqual(Float32Array.from(basis.directions.subarray(32 * D)));
  // The widest direction had most of the variance, and is now shared out.
  expect((basis.variances[0] ?? 0) / before).toBeGreaterThan(0.5);
  expect(Math.max(...sigma) ** 2 / before).toBeLessThan(0.25);
});
