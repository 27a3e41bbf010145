import type { CounterRandom } from "./counter-random.ts";
import type { AnchorKernels } from "./kernels/anchor-kernels.ts";
import { quantileOf } from "./robust-weights.ts";

/** Rows per anchor that the start looks at: more cost time and gave no lower energy. */
const ROWS_PER_ANCHOR = 8;
/** Anchors drawn at once, from a quarter of those there are on: each draw then knows nearly all before it. */
const BATCH = 16;

/**
 * The start of training: anchors drawn from the rows one after the other, each with a chance in proportion to its
 * squared distance from those drawn before.
 *
 * @param rows  shape (k, D), on the grid
 * @param m  anchors wanted, ≤ k
 * @param outlierShare  rows, the farthest, that are never drawn
 * @returns shape (m′, D): m′ < m where there are no more different rows
 * @see Arthur and Vassilvitskii 2007, "k-means++: the advantages of careful seeding"
 */
export async function startAnchors(
  kernels: AnchorKernels,
  rows: Int16Array,
  paddedD: number,
  m: number,
  random: CounterRandom,
  outlierShare: number,
): Promise<Int16Array> {
  const looked = everyNth(rows, paddedD, ROWS_PER_ANCHOR * m);
  const k = looked.length / paddedD;
  await kernels.load(looked);
  const anchors = new Int16Array(m * paddedD);
  const nearest = new Float64Array(k).fill(Number.POSITIVE_INFINITY);
  let have = 0;
  let drawn = [Math.floor(random.uniform() * k)];
  while (drawn.length > 0) {
    const first = have;
    for (const row of drawn) {
      anchors.set(looked.subarray(row * paddedD, (row + 1) * paddedD), have++ * paddedD);
    }
    if (have === m) break;
    const { distances } = await kernels.assign(anchors.subarray(first * paddedD, have * paddedD), k);
    for (let i = 0; i < k; i++) nearest[i] = Math.min(nearest[i] ?? 0, distances[i] ?? 0);
    const limit = outlierShare > 0 ? quantileOf(nearest, 1 - outlierShare) : Number.POSITIVE_INFINITY;
    drawn = draw(nearest, limit, Math.min(m - have, BATCH, Math.max(1, have >> 2)), random);
  }
  return anchors.slice(0, have * paddedD);
}

function everyNth(rows: Int16Array, paddedD: number, most: number): Int16Array {
  const k = rows.length / paddedD;
  if (k <= most) return rows;
  const out = new Int16Array(most * paddedD);
  for (let i = 0; i < most; i++) {
    const row = Math.floor((i * k) / most);
    out.set(rows.subarray(row * paddedD, (row + 1) * paddedD), i * paddedD);
  }
  return out;
}

/** Rows in proportion to their weight, those over the limit left out; none twice, none of weight 0. */
function draw(weights: Float64Array, limit: number, count: number, random: CounterRandom): number[] {
  let total = 0;
  for (const weight of weights) if (weight <= limit) total += weight;
  if (total === 0) return [];
  const targets = Array.from({ length: count }, () => random.uniform() * total).sort((a, b) => a - b);
  const drawn: number[] = [];
  let sum = 0;
  let next = 0;
  for (let row = 0; row < weights.length && next < count; row++) {
    const weight = weights[row] ?? 0;
    if (weight === 0 || weight > limit) continue;
    sum += weight;
    if ((targets[next] ?? 0) >= sum) continue;
    drawn.push(row);
    while (next < count && (targets[next] ?? 0) < sum) next++;
  }
  return drawn;
}
