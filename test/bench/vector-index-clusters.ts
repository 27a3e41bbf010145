import { open } from "node:fs/promises";
import { seededRandom } from "@lockstep/sim";

/** A set of vectors that is made, and not measured. */
export interface ClusterShape {
  readonly n: number;
  /** A power of two. */
  readonly d: number;
  readonly queries: number;
  readonly clusters: number;
  readonly seed: number;
}

/** The variance of the i-th principal direction falls as 1 / i^this, as those of real embeddings do. */
const SPECTRUM_EXPONENT = 1;
/** Standard deviation within a cluster, in that of the clusters' centres. */
const SPREAD = 0.7;
const BLOCK_ROWS = 4096;

/**
 * Write float32 rows of clusters, unequal in size, whose principal directions have falling variance and lie askew to
 * the axes: signs and Hadamard transforms turn them. All have length 1: usearch's i8 knows vectors by their direction.
 *
 * @returns queries of the same distribution, none of them among the rows; shape (queries, d)
 */
export async function writeClusters(path: string, shape: ClusterShape): Promise<Float32Array> {
  const { n, d, queries, clusters, seed } = shape;
  const random = seededRandom(seed);
  const scale = Float64Array.from({ length: d }, (_, i) => (i + 1) ** (-SPECTRUM_EXPONENT / 2));
  const signs = Array.from({ length: 2 }, () =>
    Float64Array.from({ length: d }, () => (random.uniform() < 0.5 ? -1 : 1)),
  );
  const centres = Float64Array.from({ length: clusters * d }, (_, i) => random.gaussian() * (scale[i % d] ?? 0));
  const row = new Float64Array(d);
  const draw = (out: Float32Array, at: number) => {
    // The square makes small numbers more frequent, so that some clusters have many times the rows of others.
    const start = Math.floor(random.uniform() ** 2 * clusters) * d;
    for (let i = 0; i < d; i++) row[i] = (centres[start + i] ?? 0) + SPREAD * random.gaussian() * (scale[i] ?? 0);
    for (const sign of signs) turn(row, sign);
    const length = Math.hypot(...row);
    for (let i = 0; i < d; i++) out[at + i] = (row[i] ?? 0) / length;
  };
  const asked = new Float32Array(queries * d);
  for (let i = 0; i < queries; i++) draw(asked, i * d);
  const file = await open(path, "w");
  try {
    for (let from = 0; from < n; from += BLOCK_ROWS) {
      const rows = Math.min(BLOCK_ROWS, n - from);
      const block = new Float32Array(rows * d);
      for (let i = 0; i < rows; i++) draw(block, i * d);
      await file.writeFile(new Uint8Array(block.buffer));
    }
  } finally {
    await file.close();
  }
  return asked;
}

/** Signs, and a Hadamard transform: together a rotation that mixes all axes. */
function turn(row: Float64Array, signs: Float64Array): void {
  const d = row.length;
  for (let i = 0; i < d; i++) row[i] = ((row[i] ?? 0) * (signs[i] ?? 0)) / Math.sqrt(d);
  for (let width = 1; width < d; width *= 2) {
    for (let from = 0; from < d; from += 2 * width) {
      for (let i = from; i < from + width; i++) {
        const [a, b] = [row[i] ?? 0, row[i + width] ?? 0];
        row[i] = a + b;
        row[i + width] = a - b;
      }
    }
  }
}
