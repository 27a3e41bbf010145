const FIRST_ROWS = 512;
/** Values kept of one device. */
const MOST_VALUES = 2 ** 21;

/** Room for the original values of all devices together. */
export class TruthBudget {
  #left: number;

  /** @param values  float64, 8 bytes each */
  constructor(values: number) {
    this.#left = values;
  }

  /** @returns whether there was so much room */
  take(values: number): boolean {
    if (values > this.#left) return false;
    this.#left -= values;
    return true;
  }

  giveBack(values: number): void {
    this.#left += values;
  }
}

/** The newest rows of a signal, by their number. It grows while there is room, and then forgets the oldest. */
export class TruthRing {
  readonly #channels: number;
  readonly #budget: TruthBudget;
  #values: Float64Array;
  #rows: number;
  #end = 0;
  #first = 0;

  constructor(channels: number, budget: TruthBudget) {
    this.#channels = channels;
    this.#budget = budget;
    this.#rows = budget.take(FIRST_ROWS * channels) ? FIRST_ROWS : 0;
    this.#values = new Float64Array(this.#rows * channels);
  }

  /** Number of the first row that is kept. */
  get first(): number {
    return this.#first;
  }

  /** Number of the row that comes next. */
  get end(): number {
    return this.#end;
  }

  push(row: Float64Array): void {
    if (this.#end - this.#first === this.#rows) this.#grow();
    if (this.#rows > 0) this.#values.set(row, (this.#end % this.#rows) * this.#channels);
    this.#end += 1;
    this.#first = Math.max(this.#first, this.#end - this.#rows);
  }

  /** A row; read it before the next `push`. Undefined for one that is not kept. */
  row(number: number): Float64Array | undefined {
    if (number < this.#first || number >= this.#end) return undefined;
    const at = (number % this.#rows) * this.#channels;
    return this.#values.subarray(at, at + this.#channels);
  }

  /** Keep nothing more. */
  release(): void {
    this.#budget.giveBack(this.#values.length);
    this.#values = new Float64Array(0);
    this.#rows = 0;
    this.#first = this.#end;
  }

  #grow(): void {
    const rows = 2 * this.#rows;
    if (rows === 0 || rows * this.#channels > MOST_VALUES) return;
    if (!this.#budget.take(this.#rows * this.#channels)) return;
    const grown = new Float64Array(rows * this.#channels);
    for (let number = this.#first; number < this.#end; number++) {
      const row = this.row(number);
      if (row !== undefined) grown.set(row, (number % rows) * this.#channels);
    }
    this.#values = grown;
    this.#rows = rows;
  }
}
