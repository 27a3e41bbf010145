import { SeededNormals } from "./seeded-vectors.suite.ts";

/** Vectors in clusters of very different sizes, whose spread falls from dimension to dimension. */
export interface ClusterShape {
  readonly n: number;
  readonly d: number;
  readonly clusters: number;
  readonly seed: number;
}

/** @returns shape (n, d); where the clusters are depends on the shape but for `n` and `rowSeed` */
export function clusteredRows({ n, d, clusters, seed }: ClusterShape, rowSeed = 1): Float32Array {
  const places = new SeededNormals(seed);
  const centers = Float32Array.from({ length: clusters * d }, (_, at) => (3 * places.normal()) / (1 + (at % d) / 8));
  const random = new SeededNormals(1000 * seed + rowSeed);
  const rows = new Float32Array(n * d);
  for (let i = 0; i < n; i++) {
    // The first clusters have most of the rows.
    const cluster = Math.floor(clusters * random.uniform() ** 2);
    for (let j = 0; j < d; j++) {
      rows[i * d + j] = (centers[cluster * d + j] ?? 0) + random.normal() / (1 + j / 8);
    }
  }
  return rows;
}
