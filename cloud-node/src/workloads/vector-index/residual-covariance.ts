import type { AssignedBlock } from "./assign-all.ts";
import type { TrainingCore } from "./training-core.ts";
import type { TrainingGrid } from "./training-sample.ts";

/** Rows for each dimension: with more, no direction changes by what the coder could notice. */
const ROWS_PER_DIMENSION = 256;
/** Multiplications that may be spent, by which many dimensions get fewer rows each. */
const MULTIPLICATIONS = 2 ** 34;

/**
 * The covariance of rows less their anchors, over evenly spaced rows of those that count.
 *
 * It lies in memory of `core` from where that stands on: what is reserved later is to be given back before it is closed.
 */
export class ResidualCovariance {
  readonly #core: TrainingCore;
  readonly #grid: TrainingGrid;
  readonly #every: number;
  readonly #start: number;
  readonly #mean: number;
  readonly #anchors: number;
  readonly #sums: number;
  readonly #values: number;
  readonly #lists: number;
  readonly #out: number;
  readonly #chunkRows: number;
  #pending = 0;
  #count = 0;

  /**
   * @param n  rows that there will be
   * @param anchors  shape (m, D), in the data's unit, mean taken off
   */
  constructor(core: TrainingCore, grid: TrainingGrid, n: number, anchors: Float32Array) {
    const { d, paddedD } = grid;
    const most = Math.min(ROWS_PER_DIMENSION * paddedD, Math.ceil(MULTIPLICATIONS / paddedD ** 2));
    this.#core = core;
    this.#grid = grid;
    this.#every = Math.max(1, Math.floor(n / most));
    this.#start = core.mark();
    this.#mean = core.place(grid.mean);
    this.#anchors = core.place(anchors);
    this.#sums = core.zeros(8 * paddedD * paddedD);
    this.#chunkRows = Number(core.calls.COVARIANCE_ROWS.value);
    this.#values = core.reserve(4 * this.#chunkRows * d);
    this.#lists = core.reserve(4 * this.#chunkRows);
    this.#out = core.reserve(4 * this.#chunkRows * paddedD);
  }

  add({ rows, first, count, ids, weights }: AssignedBlock): void {
    const { d } = this.#grid;
    for (let i = 0; i < count; i++) {
      if ((first + i) % this.#every !== 0 || weights[i] === 0) continue;
      this.#core.write(this.#values + 4 * this.#pending * d, rows.subarray(i * d, (i + 1) * d));
      this.#core.write(this.#lists + 4 * this.#pending, ids.subarray(i, i + 1));
      this.#pending++;
      if (this.#pending === this.#chunkRows) this.#flush();
    }
  }

  #flush(): void {
    const { d, paddedD } = this.#grid;
    const { calls } = this.#core;
    calls.residuals(this.#values, this.#pending, d, paddedD, this.#mean, this.#anchors, this.#lists, this.#out);
    calls.addProducts(this.#out, this.#pending, paddedD, this.#sums);
    this.#count += this.#pending;
    this.#pending = 0;
  }

  /** Give the memory back. @returns shape (D, D); only what is on and right of the diagonal is meant */
  close(): Float64Array {
    this.#flush();
    const sums = this.#core.doubles(this.#sums, this.#grid.paddedD ** 2);
    const covariance = sums.map((sum) => sum / Math.max(1, this.#count));
    this.#core.release(this.#start);
    return covariance;
  }
}
