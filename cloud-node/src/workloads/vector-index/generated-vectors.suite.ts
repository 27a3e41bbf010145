/** Vectors for tests, by a seed: numbers a generator gives, and what is known of them. */

/** @see Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators", with 32 bits */
export function seededUniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let bits = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
    return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32;
  };
}

export function normalOf(uniform: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

export interface GeneratedClusters {
  readonly rows: Float32Array;
  readonly n: number;
  readonly d: number;
  /** Shape (clusters, d). */
  readonly centres: Float32Array;
  /** Shape (n): the cluster that each row was drawn from. */
  readonly clusters: Uint32Array;
}

/** Normal clusters, in turn; `spread` is their standard deviation over that of their centres; `decay` of dimension j: (1 + j)^-decay. */
export function generatedClusters(
  seed: number,
  shape: { n: number; d: number; clusters: number; spread: number; decay?: number },
): GeneratedClusters {
  const { n, d, spread } = shape;
  const uniform = seededUniform(seed);
  const scale = Float64Array.from({ length: d }, (_, j) => (1 + j) ** -(shape.decay ?? 0));
  const centres = Float32Array.from(
    { length: shape.clusters * d },
    (_, at) => (scale[at % d] ?? 0) * normalOf(uniform),
  );
  const clusters = Uint32Array.from({ length: n }, (_, i) => i % shape.clusters);
  const rows = Float32Array.from({ length: n * d }, (_, at) => {
    const centre = centres[(clusters[Math.floor(at / d)] ?? 0) * d + (at % d)] ?? 0;
    return centre + spread * (scale[at % d] ?? 0) * normalOf(uniform);
  });
  return { rows, n, d, centres, clusters };
}
