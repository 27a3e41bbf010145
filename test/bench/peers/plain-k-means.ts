import { type SeededRandom, seededRandom } from "@lockstep/sim";

/**
 * K-means as the textbook has it, in doubles: a k-means++ start, then rounds of nearest centre and mean.
 *
 * @param rows  shape (n, d)
 * @returns mean squared distance of a row from its nearest centre, after the last round
 * @see Arthur and Vassilvitskii 2007; Lloyd 1982
 */
export function plainKMeans(rows: Float32Array, d: number, m: number, rounds: number, seed: number): number {
  const n = rows.length / d;
  const centres = start(rows, d, m, seededRandom(seed));
  let energy = 0;
  for (let round = 0; round <= rounds; round++) {
    const sums = new Float64Array(m * d);
    const counts = new Uint32Array(m);
    energy = 0;
    for (let i = 0; i < n; i++) {
      const { centre, distance } = nearest(rows, i * d, centres, d, m);
      energy += distance / n;
      counts[centre] = (counts[centre] ?? 0) + 1;
      for (let j = 0; j < d; j++) sums[centre * d + j] = (sums[centre * d + j] ?? 0) + (rows[i * d + j] ?? 0);
    }
    for (let at = 0; at < m * d; at++) {
      const count = counts[Math.floor(at / d)] ?? 0;
      if (count > 0) centres[at] = (sums[at] ?? 0) / count;
    }
  }
  return energy;
}

function start(rows: Float32Array, d: number, m: number, random: SeededRandom): Float64Array {
  const n = rows.length / d;
  const centres = new Float64Array(m * d);
  const far = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  let row = Math.floor(random.uniform() * n);
  for (let centre = 0; centre < m; centre++) {
    centres.set(rows.subarray(row * d, (row + 1) * d), centre * d);
    let total = 0;
    for (let i = 0; i < n; i++) {
      far[i] = Math.min(far[i] ?? 0, squared(rows, i * d, centres, centre * d, d));
      total += far[i] ?? 0;
    }
    let left = random.uniform() * total;
    for (row = 0; row < n - 1 && left > (far[row] ?? 0); row++) left -= far[row] ?? 0;
  }
  return centres;
}

function nearest(rows: Float32Array, at: number, centres: Float64Array, d: number, m: number) {
  let [centre, distance] = [0, Number.POSITIVE_INFINITY];
  for (let c = 0; c < m; c++) {
    const found = squared(rows, at, centres, c * d, d);
    if (found < distance) [centre, distance] = [c, found];
  }
  return { centre, distance };
}

function squared(a: Float32Array, at: number, b: Float64Array, from: number, d: number): number {
  let sum = 0;
  for (let j = 0; j < d; j++) {
    const difference = (a[at + j] ?? 0) - (b[from + j] ?? 0);
    sum += difference * difference;
  }
  return sum;
}
