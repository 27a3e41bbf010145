import { addScaled, dot, orthogonalizeColumns } from "./singular-values.ts";

/** Rows that wait until they are taken in together, for each direction that is kept. */
const ROWS_PER_DIRECTION = 2;
/** What is left of a row beside known directions is a direction of its own above this share of its length. */
const NEW_DIRECTION = 1e-12;

/** Directions of most variance, and how much each has. */
export interface PrincipalComponents {
  /** Rows seen. */
  readonly count: number;
  /** Shape (width). */
  readonly mean: Float64Array;
  /** Unit vectors of shape (width), the direction of most variance first. */
  readonly basis: readonly Float64Array[];
  /** Along each of them, biased: sums of squares over `count`. */
  readonly variances: readonly number[];
  /** Of all directions, those that were not kept too. */
  readonly totalVariance: number;
}

/**
 * Principal components of rows that come one after the other and are not kept: an incremental singular value decomposition in
 * float64. A batch is centred, the part of each row outside the known directions is made orthogonal to them (a QR step), and the
 * small core of coordinates is decomposed. Memory is O(width · rank), whatever the number of rows.
 *
 * @see Brand 2002, "Incremental singular value decomposition"; Ross et al. 2008, "Incremental learning for robust visual
 * tracking", section 2.1, for the moving mean
 */
export class StreamingPca {
  readonly #width: number;
  readonly #rank: number;
  readonly #waiting: Float64Array[] = [];
  #basis: Float64Array[] = [];
  /** Singular values of the centred rows so far, one for each direction. */
  #lengths: number[] = [];
  #mean: Float64Array;
  #count = 0;
  /** Sum of squares along directions that were let go. */
  #dropped = 0;
  #held = 0;

  /** @param rank  directions that are kept from batch to batch: some more than are wanted in the end */
  constructor(width: number, rank: number) {
    this.#width = width;
    this.#rank = Math.min(rank, width);
    this.#mean = new Float64Array(width);
  }

  /** Numbers that a stream may hold at once, whatever the number of rows: rows that wait, directions, the core, means. */
  static mostNumbers(width: number, rank: number): number {
    const kept = Math.min(rank, width);
    const waiting = kept * ROWS_PER_DIRECTION + 1;
    const core = kept + waiting;
    const directions = Math.min(width, core);
    // The core is there by rows and by columns, beside the turns that make the columns orthogonal.
    return (waiting + directions + kept + 2) * width + (2 * core + directions) * directions;
  }

  /** Numbers that it has held at once at most so far, counted in what it holds. */
  get heldNumbers(): number {
    return this.#held;
  }

  /** Take one row in. @param row  shape (width); copied */
  add(row: ArrayLike<number>): void {
    this.#waiting.push(Float64Array.from(row));
    if (this.#waiting.length >= ROWS_PER_DIRECTION * this.#rank) this.#takeIn();
  }

  /** What is known by now. @param most  directions at most */
  components(most = this.#rank): PrincipalComponents {
    if (this.#waiting.length > 0) this.#takeIn();
    const perRow = (squares: number) => squares / Math.max(1, this.#count);
    const variances = this.#lengths.map((length) => perRow(length * length));
    return {
      count: this.#count,
      mean: Float64Array.from(this.#mean),
      basis: this.#basis.slice(0, most).map((direction) => Float64Array.from(direction)),
      variances: variances.slice(0, most),
      totalVariance: variances.reduce((sum, variance) => sum + variance, perRow(this.#dropped)),
    };
  }

  #takeIn(): void {
    const rows = this.#centre(this.#waiting.splice(0));
    const directions = [...this.#basis];
    // Coordinates of everything so far, one row each: first the known directions as long as they are, then the new rows.
    const core = this.#lengths.map((length, at) => new Map([[at, length]]));
    for (const row of rows) core.push(coordinatesOf(row, directions));
    const columns = directions.map((_, column) => Float64Array.from(core, (row) => row.get(column) ?? 0));
    const turns = orthogonalizeColumns(columns);
    const order = columns
      .map((column, at) => ({ at, length: Math.sqrt(dot(column, column)) }))
      .sort((a, b) => b.length - a.length || a.at - b.at);
    const kept = order.slice(0, this.#rank);
    const held = countOf(rows) + countOf(directions) + countOf(columns) + countOf(turns) + kept.length * this.#width;
    const sparse = core.reduce((sum, { size }) => sum + size, 0);
    this.#held = Math.max(this.#held, held + sparse + countOf(this.#waiting) + 2 * this.#width);
    for (const { length } of order.slice(this.#rank)) this.#dropped += length * length;
    this.#lengths = kept.map(({ length }) => length);
    this.#basis = kept.map(({ at }) => {
      const direction = new Float64Array(this.#width);
      for (const [other, share] of (turns[at] as Float64Array).entries()) {
        addScaled(direction, share, directions[other] as Float64Array);
      }
      return direction;
    });
  }

  /** Rows without their mean, and one more that stands for how far it lies from the mean so far. */
  #centre(rows: Float64Array[]): Float64Array[] {
    const mean = new Float64Array(this.#width);
    for (const row of rows) addScaled(mean, 1 / rows.length, row);
    for (const row of rows) addScaled(row, -1, mean);
    const [before, all] = [this.#count, this.#count + rows.length];
    const shift = Float64Array.from(mean);
    addScaled(shift, -1, this.#mean);
    addScaled(this.#mean, rows.length / all, shift);
    this.#count = all;
    if (before === 0) return rows;
    const weight = Math.sqrt((before * rows.length) / all);
    return [...rows, shift.map((number) => weight * number)];
  }
}

function countOf(arrays: readonly Float64Array[]): number {
  return arrays.reduce((sum, { length }) => sum + length, 0);
}

/** Coordinates of a row along directions; what is left of it becomes one more of them. @param row  overwritten */
function coordinatesOf(row: Float64Array, directions: Float64Array[]): Map<number, number> {
  const coordinates = new Map<number, number>();
  const whole = Math.sqrt(dot(row, row));
  // Twice is enough for orthogonality to rounding: Giraud et al. 2005.
  for (let pass = 0; pass < 2; pass += 1) {
    for (const [at, direction] of directions.entries()) {
      const share = dot(row, direction);
      coordinates.set(at, (coordinates.get(at) ?? 0) + share);
      addScaled(row, -share, direction);
    }
  }
  const rest = Math.sqrt(dot(row, row));
  if (rest > NEW_DIRECTION * whole && directions.length < row.length) {
    coordinates.set(directions.length, rest);
    directions.push(row.map((number) => number / rest));
  }
  return coordinates;
}
