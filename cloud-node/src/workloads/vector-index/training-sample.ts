import type { CounterRandom } from "./counter-random.ts";
import { type GrossLimit, grossLimit, withoutGross } from "./gross-rows.ts";
import type { GridShape } from "./kernels/anchor-kernels.ts";
import { paddedDimensions } from "./model.ts";
import type { TrainingCore } from "./training-core.ts";
import { VectorIndexError } from "./vector-index-error.ts";
import type { VectorSource } from "./vector-source.ts";

/** Where the grid of training lies over the data. */
export interface TrainingGrid extends GridShape {
  readonly d: number;
  /** Shape (d): the data's mean, where the grid has its 0. */
  readonly mean: Float32Array;
  /** Grid steps in one unit of the data. */
  readonly perUnit: number;
}

/** A sample of the rows, drawn evenly from all of them. */
export interface TrainingSample {
  readonly grid: TrainingGrid;
  readonly gross: GrossLimit;
  /** Shape (k, D): the sample on the grid, without gross rows. */
  readonly rows: Int16Array;
}

/** Rows read at a time: few enough for memory, enough that a read costs nothing beside the work. */
export const BLOCK_ROWS = 8192;
/** The finest grid that is of use: 1/16 of a step of rounding is then far below any residual. */
const FINEST_RANGE = 2047;
/** With fewer steps than bytes have, rounding is no longer small beside a residual. */
const COARSEST_RANGE = 127;
const SUM_LIMIT = 2 ** 31 - 1;
const MOST_DIMENSIONS = 16 * Math.floor(SUM_LIMIT / (2 * COARSEST_RANGE) ** 2 / 16);
/** With less, the integers that a search makes of products have steps near the smallest float32. */
const LEAST_REACH = 1e-14;

/**
 * Draw one row of every stretch of n / k rows, leave out gross ones, and put the others on a grid that holds them.
 *
 * @param k  rows wanted, ≤ n
 * @param largestWeight  what one row can count in a sum
 * @param each  called for every block that is read
 * @throws {VectorIndexError} what reading throws; `too-large` for dimensions that no grid can serve; `too-small` for
 *   rows that differ by less than single precision can take distances of
 */
export async function drawSample(
  core: TrainingCore,
  source: VectorSource,
  k: number,
  random: CounterRandom,
  largestWeight: number,
  each: (rowsRead: number) => void,
): Promise<TrainingSample> {
  const { n, d } = source;
  const paddedD = paddedDimensions(d);
  // The second bound is for the sums of a mean over the sample.
  const range = Math.min(finestRange(paddedD, source.name), Math.floor(SUM_LIMIT / (k * largestWeight)));
  const drawn = new Float32Array(k * d);
  let taken = 0;
  let wanted = rowOf(0, k, n, random);
  await eachBlock(source, (block, first, count) => {
    while (taken < k && wanted < first + count) {
      drawn.set(block.subarray((wanted - first) * d, (wanted - first + 1) * d), taken * d);
      taken++;
      wanted = rowOf(taken, k, n, random);
    }
    each(first + count);
  });
  const gross = grossLimit(drawn, d);
  const kept = withoutGross(drawn, gross);
  const mean = meanOf(kept, d);
  const grid = { d, paddedD, range, mean, perUnit: range / reach(kept, mean, source.name) };
  const rows = new Int16Array((kept.length / d) * paddedD);
  for (let from = 0; from * d < kept.length; from += BLOCK_ROWS) {
    const block = kept.subarray(from * d, (from + BLOCK_ROWS) * d);
    rows.set(toGrid(core, grid, block), from * paddedD);
  }
  return { grid, gross, rows };
}

/** Call `use` with every block of rows, which it may not keep. */
export async function eachBlock(
  source: VectorSource,
  use: (block: Float32Array, first: number, count: number) => void | Promise<void>,
): Promise<void> {
  const { n, d, name } = source;
  const buffer = new Float32Array(Math.min(n, BLOCK_ROWS) * d);
  for (let first = 0; first < n; ) {
    const count = await source.read(first, buffer);
    if (count < 1) {
      const problem = `rows end at ${first} of ${n}`;
      throw new VectorIndexError("truncated", problem, "read it again when it is complete", { file: name });
    }
    await use(buffer.subarray(0, count * d), first, count);
    first += count;
  }
}

/** Rows on the grid, as a view that lasts until the next reservation of `core`. */
export function toGrid(core: TrainingCore, grid: TrainingGrid, rows: Float32Array): Int16Array {
  const { d, paddedD } = grid;
  const k = rows.length / d;
  const start = core.mark();
  const mean = core.place(grid.mean);
  const from = core.place(rows);
  const out = core.reserve(2 * k * paddedD);
  core.calls.toGrid(from, k, d, paddedD, mean, grid.perUnit, grid.range, out);
  core.release(start);
  return core.shorts(out, k * paddedD);
}

function rowOf(index: number, k: number, n: number, random: CounterRandom): number {
  const from = Math.floor((index * n) / k);
  const to = Math.floor(((index + 1) * n) / k);
  return from + Math.floor(random.uniform() * (to - from));
}

/**
 * The largest R for which squared distances stay within 32 bits.
 *
 * @throws {VectorIndexError} `too-large` for dimensions that no grid can serve
 */
export function finestRange(paddedD: number, file: string): number {
  const range = Math.min(FINEST_RANGE, Math.floor(Math.sqrt(SUM_LIMIT / paddedD) / 2));
  if (range >= COARSEST_RANGE) return range;
  throw new VectorIndexError("too-large", `${paddedD} dimensions`, `give ${MOST_DIMENSIONS} at most`, { file });
}

function meanOf(rows: Float32Array, d: number): Float32Array {
  const sums = new Float64Array(d);
  for (let from = 0; from < rows.length; from += d) {
    for (let j = 0; j < d; j++) sums[j] = (sums[j] ?? 0) + (rows[from + j] ?? 0);
  }
  return Float32Array.from(sums, (sum) => sum / (rows.length / d));
}

/** The largest value, mean taken off; 1 where all rows are the same. */
function reach(rows: Float32Array, mean: Float32Array, file: string): number {
  const d = mean.length;
  let largest = 0;
  for (let from = 0; from < rows.length; from += d) {
    for (let j = 0; j < d; j++) largest = Math.max(largest, Math.abs((rows[from + j] ?? 0) - (mean[j] ?? 0)));
  }
  if (largest === 0) return 1;
  if (largest >= LEAST_REACH) return largest;
  const problem = `no number is farther than ${largest.toExponential(3)} from its mean`;
  throw new VectorIndexError("too-small", problem, `scale all vectors up, to ${LEAST_REACH} at least`, { file });
}
