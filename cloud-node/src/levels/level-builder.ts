import { bucketNumber } from "./bucket-place.ts";
import { type Level, ORDER_HIGH_FIRST, ORDER_LOW_FIRST, ORDER_NONE } from "./level.ts";

/** Rows of one frame as the codec gives them; statuses: 0 ok, 1 invalid, 2 saturated. */
export interface LevelRows {
  readonly count: number;
  /** Shape (≥ count, channels). */
  readonly samples: Int32Array;
  readonly statuses: Uint8Array;
}

/** What buckets are made of. */
export interface LevelShape {
  readonly channels: number;
  readonly periodUs: number;
  /** Shape (channels): bits below the raster of a channel's extremes. */
  readonly rasterShifts: readonly number[];
}

/** A bucket count above which buckets are joined in pairs: what a level in the making may take of memory. */
const MOST_BUCKETS = 256;
const LEAST_GAIN = 0.75;

/** Sorts rows into buckets as they come. */
export class LevelBuilder {
  readonly #shape: LevelShape;
  #level: Level;
  #most: number;

  /**
   * @param begun  buckets to go on with, empty or not; they become the builder's
   * @param mostBuckets  wider ones are made where there would be more, unless that joins little
   */
  constructor(shape: LevelShape, begun: Level, mostBuckets = MOST_BUCKETS) {
    this.#shape = shape;
    this.#most = mostBuckets;
    this.#level = begun;
  }

  /** What was sorted so far; it changes with the next rows. */
  get level(): Level {
    return this.#level;
  }

  /**
   * Add rows, in the order in which they came.
   *
   * @param timeUs  device time of a row
   * @param from  first of the rows to be added
   * @param to  the one after the last
   */
  add(rows: LevelRows, timeUs: (row: number) => number, from = 0, to = rows.count): void {
    const { periodUs } = this.#shape;
    for (let row = from; row < to; row++) {
      const time = timeUs(row);
      let number = bucketNumber(time, periodUs, this.#level.shift);
      if (this.#level.count >= this.#most && !this.#isLast(number)) {
        this.#widen();
        number = bucketNumber(time, periodUs, this.#level.shift);
      }
      this.#addRow(this.#isLast(number) ? this.#level.count - 1 : this.#level.begin(number), rows, row);
    }
  }

  #isLast(number: number): boolean {
    return this.#level.count > 0 && this.#level.numbers[this.#level.count - 1] === number;
  }

  #widen(): void {
    const wide = this.#level.coarser(1);
    // Where a clock jumps about, joining pairs joins little.
    if (wide.count > LEAST_GAIN * this.#most) this.#most *= 2;
    else this.#level = wide;
  }

  #addRow(bucket: number, { samples, statuses }: LevelRows, row: number): void {
    const level = this.#level;
    const { channels, rasterShifts } = this.#shape;
    const { low, high, order } = level;
    level.samples[bucket] = (level.samples[bucket] ?? 0) + 1;
    for (let c = 0; c < channels; c++) {
      const from = row * channels + c;
      const to = bucket * channels + c;
      const status = statuses[from] ?? 0;
      if (status !== 0) {
        const counts = status === 1 ? level.invalid : level.saturated;
        counts[to] = (counts[to] ?? 0) + 1;
        if (status === 1) continue;
      }
      const sample = samples[from] ?? 0;
      const raster = rasterShifts[c] ?? 0;
      const down = sample >> raster;
      const up = down << raster === sample ? down : down + 1;
      if (order[to] === ORDER_NONE) {
        low[to] = down;
        high[to] = up;
        order[to] = ORDER_LOW_FIRST;
        continue;
      }
      const isLower = down < (low[to] ?? 0);
      const isHigher = up > (high[to] ?? 0);
      if (isLower) low[to] = down;
      if (isHigher) high[to] = up;
      if (isLower) order[to] = ORDER_HIGH_FIRST;
      else if (isHigher) order[to] = ORDER_LOW_FIRST;
    }
  }
}
