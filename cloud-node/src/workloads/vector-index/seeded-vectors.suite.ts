import type { BitGroup, IndexModel, Metric } from "./model.ts";
import { paddedDimensions } from "./model.ts";

/** Normal deviates from a seed: the same everywhere. */
export class SeededNormals {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in (0, 1). */
  uniform(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return (((x ^ (x >>> 15)) >>> 0) + 0.5) / 2 ** 32;
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  array(length: number): Float32Array {
    return Float32Array.from({ length }, () => this.normal());
  }
}

/** An orthogonal matrix (D, D): random rows of d numbers, each made orthogonal to those before it, then the identity. */
function seededRotation(d: number, paddedD: number, random: SeededNormals): Float32Array {
  const matrix = random.array(d * d);
  for (let i = 0; i < d; i++) {
    const row = matrix.subarray(i * d, (i + 1) * d);
    for (let k = 0; k < i; k++) {
      const other = matrix.subarray(k * d, (k + 1) * d);
      const along = dot(row, other);
      for (let j = 0; j < d; j++) row[j] = (row[j] ?? 0) - along * (other[j] ?? 0);
    }
    const length = Math.sqrt(dot(row, row));
    for (let j = 0; j < d; j++) row[j] = (row[j] ?? 0) / length;
  }
  return Float32Array.from({ length: paddedD * paddedD }, (_, at) => {
    const [i, j] = [Math.floor(at / paddedD), at % paddedD];
    return i < d && j < d ? (matrix[i * d + j] ?? 0) : Number(i === j);
  });
}

export function dot(x: Float32Array, y: Float32Array): number {
  return x.reduce((sum, value, j) => sum + value * (y[j] ?? 0), 0);
}

/** Groups of 16 dimensions with these bits. */
export function bitGroups(bits: readonly BitGroup["bits"][]): BitGroup[] {
  return bits.map((depth, i) => ({ bits: depth, from: i * 16, to: (i + 1) * 16 }));
}

/** A model that nobody trained: random mean, rotation and anchors, spreads that fall by dimension. */
export function seededModel(
  d: number,
  m: number,
  bits: readonly BitGroup["bits"][],
  metric: Metric = "l2",
): IndexModel {
  const random = new SeededNormals(d * 7 + m);
  const paddedD = paddedDimensions(d);
  return {
    d,
    paddedD,
    m,
    metric,
    seed: 1,
    mean: random.array(d),
    rotation: seededRotation(d, paddedD, random),
    anchors: Float32Array.from({ length: m * paddedD }, (_, at) => (at % paddedD < d ? 3 * random.normal() : 0)),
    anchorExponent: 0,
    groups: bitGroups(bits),
    sigma: Float32Array.from({ length: paddedD }, (_, j) => 2 / (1 + j / 16)),
  };
}

/** Rows around a model's anchors with the spreads that it states, and the anchor of each: shapes (k, d) and (k). */
export function seededRows(model: IndexModel, k: number, seed: number): { rows: Float32Array; lists: Uint32Array } {
  const { d, paddedD, m, mean, rotation, anchors, sigma } = model;
  const random = new SeededNormals(seed);
  const rows = new Float32Array(k * d);
  const lists = Uint32Array.from({ length: k }, () => Math.floor(random.uniform() * m));
  for (let i = 0; i < k; i++) {
    const anchor = (lists[i] ?? 0) * paddedD;
    for (let a = 0; a < d; a++) {
      const z = (anchors[anchor + a] ?? 0) + (sigma[a] ?? 0) * random.normal();
      for (let j = 0; j < d; j++) rows[i * d + j] = (rows[i * d + j] ?? 0) + z * (rotation[a * paddedD + j] ?? 0);
    }
    for (let j = 0; j < d; j++) rows[i * d + j] = (rows[i * d + j] ?? 0) + (mean[j] ?? 0);
  }
  return { rows, lists };
}
