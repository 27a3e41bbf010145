import type { CounterRandom } from "./counter-random.ts";
import type { BitGroup } from "./model.ts";
import type { TrainingCore } from "./training-core.ts";
import { VectorIndexError } from "./vector-index-error.ts";

/** The directions of a covariance, those of the largest variance first. */
export interface PrincipalBasis {
  /** Shape (D), falling, ≥ 0. */
  readonly variances: Float64Array;
  /** Shape (D, D): row i is the direction of variance i. */
  readonly directions: Float64Array;
}

/** Of the largest standard deviation: what stands for that of a dimension in which nothing varies. */
const LEAST_SIGMA = 1e-6;

/**
 * Karhunen-Loève transform: the directions in which residuals are not correlated.
 *
 * @param covariance  shape (D, D), symmetric, D even; only what is on and right of the diagonal is read
 */
export function principalBasis(core: TrainingCore, covariance: Float64Array, D: number): PrincipalBasis {
  const start = core.mark();
  const a = core.place(covariance);
  const values = core.reserve(8 * D);
  const vectors = core.reserve(8 * D * D);
  const work = core.reserve(32 * D);
  const matrix = core.doubles(a, D * D);
  for (let i = 0; i < D; i++) {
    for (let j = 0; j < i; j++) matrix[i * D + j] = matrix[j * D + i] ?? 0;
  }
  const status = core.calls.symmetricEigen(a, D, values, vectors, work);
  const found = core.doubles(values, D).slice();
  const rows = core.doubles(vectors, D * D).slice();
  core.release(start);
  if (status !== 0) {
    const problem = `the ${D} directions of the residuals were not found`;
    throw new VectorIndexError("bad-shape", problem, "bring the numbers to a similar size, below 1e15");
  }
  const order = Uint32Array.from(found.keys()).sort((i, j) => (found[j] ?? 0) - (found[i] ?? 0) || i - j);
  const directions = new Float64Array(D * D);
  for (const [to, from] of order.entries()) directions.set(rows.subarray(from * D, (from + 1) * D), to * D);
  return { variances: Float64Array.from(order, (index) => Math.max(0, found[index] ?? 0)), directions };
}

/**
 * Mix the directions of each group at random, so that its dimensions become alike and none has heavy tails.
 *
 * Reflections that each take a normal vector to an axis, every one of a dimension less than the one before, make up an
 * orthogonal matrix drawn evenly from all.
 *
 * @returns rotation, shape (D, D), and the standard deviation of the residuals in each of its dimensions, > 0
 * @see Stewart 1980, "The efficient generation of random orthogonal matrices"
 */
export function mixGroups(
  { variances, directions }: PrincipalBasis,
  groups: readonly BitGroup[],
  random: CounterRandom,
): { rotation: Float32Array; sigma: Float32Array } {
  const D = variances.length;
  const rotation = Float32Array.from(directions);
  const sigma = Float32Array.from(variances, Math.sqrt);
  for (const { from, to, bits } of groups) {
    if (bits === 0) continue;
    const size = to - from;
    // Each row is a direction, and beside it its part in each of the uncorrelated ones, as a standard deviation.
    const width = D + size;
    const rows = new Float64Array(size * width);
    for (let i = 0; i < size; i++) {
      rows.set(directions.subarray((from + i) * D, (from + i + 1) * D), i * width);
      rows[i * width + D + i] = Math.sqrt(variances[from + i] ?? 0);
    }
    for (let first = 0; first < size - 1; first++) reflectRows(rows, width, first, size, random);
    for (let i = 0; i < size; i++) {
      const row = rows.subarray(i * width, (i + 1) * width);
      rotation.set(row.subarray(0, D), (from + i) * D);
      sigma[from + i] = Math.sqrt(sumOfSquares(row.subarray(D)));
    }
  }
  const least = LEAST_SIGMA * (sigma.reduce((a, b) => Math.max(a, b), 0) || 1);
  return { rotation, sigma: sigma.map((value) => Math.max(value, least)) };
}

/** Reflect rows first … size − 1 so that a normal vector over them comes to lie along the first: X −= (2 / |u|²) u (uᵀ X). */
function reflectRows(rows: Float64Array, width: number, first: number, size: number, random: CounterRandom): void {
  const u = Float64Array.from({ length: size - first }, () => random.normal());
  const head = u[0] ?? 0;
  u[0] = head + Math.sign(head) * Math.sqrt(sumOfSquares(u));
  const scale = 2 / sumOfSquares(u);
  const along = new Float64Array(width);
  for (let i = first; i < size; i++) {
    const weight = u[i - first] ?? 0;
    const from = i * width;
    for (let j = 0; j < width; j++) along[j] = (along[j] ?? 0) + weight * (rows[from + j] ?? 0);
  }
  for (let i = first; i < size; i++) {
    const weight = scale * (u[i - first] ?? 0);
    const from = i * width;
    for (let j = 0; j < width; j++) rows[from + j] = (rows[from + j] ?? 0) - weight * (along[j] ?? 0);
  }
}

function sumOfSquares(values: Float64Array): number {
  return values.reduce((sum, x) => sum + x * x, 0);
}
