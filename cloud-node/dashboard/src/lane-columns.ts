import type { LaneRing } from "./lane-ring.ts";

/** Two points for each of the most buckets that an answer has, a break between any two, and what is extrapolated. */
const ROOM = 14_000;
/** A point's place in its bucket: the two extremes stand in the middle of its halves. */
const FIRST_PLACE = 0.25;
const SECOND_PLACE = 0.75;
const US_PER_S = 1e6;
/** Buckets further apart than this, in widths, have a gap between them. */
const GAP_WIDTHS = 1.5;

/** What the twin expects after the last confirmed sample. */
export interface Guess {
  /** Device time, µs. */
  readonly times: readonly number[];
  readonly values: readonly number[];
}

/** A stretch of buckets as the server sends it. */
export interface BucketColumns {
  readonly t0Us: number;
  readonly widthUs: number;
  readonly first: readonly (number | null)[];
  readonly second: readonly (number | null)[];
}

/**
 * The points that one lane draws, in columns made once. A point that is NaN lifts the pen: nothing is joined across
 * nothing.
 */
export class LaneColumns {
  readonly #x = new Float64Array(ROOM);
  readonly #confirmed = new Float64Array(ROOM);
  readonly #guess = new Float64Array(ROOM);
  #length = 0;
  #bucketS = 0;

  get length(): number {
    return this.#length;
  }

  /** Width of a bucket, s. */
  get bucketS(): number {
    return this.#bucketS;
  }

  /** Device time, s. */
  get x(): Float64Array {
    return this.#x.subarray(0, this.#length);
  }

  get confirmed(): Float64Array {
    return this.#confirmed.subarray(0, this.#length);
  }

  get guess(): Float64Array {
    return this.#guess.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** Show the newest buckets, and what is expected since. */
  fillLive(ring: LaneRing, guess: Guess): void {
    this.#length = 0;
    this.#bucketS = ring.widthUs / US_PER_S;
    let previousUs = Number.NaN;
    for (let i = 0; i < ring.length; i++) {
      const atUs = ring.timeUs(i);
      if (atUs - previousUs > GAP_WIDTHS * ring.widthUs) this.#lift((previousUs + ring.widthUs) / US_PER_S);
      this.#addBucket(atUs, ring.widthUs, ring.first(i), ring.second(i));
      previousUs = atUs;
    }
    if (this.#length > 0 && guess.times.length > 0) {
      this.#guess[this.#length - 1] = this.#confirmed[this.#length - 1] ?? Number.NaN;
    }
    const lastS = this.#length === 0 ? Number.NEGATIVE_INFINITY : (this.#x[this.#length - 1] ?? 0);
    for (const [i, timeUs] of guess.times.entries()) {
      if (timeUs / US_PER_S > lastS) this.#push(timeUs / US_PER_S, Number.NaN, guess.values[i] ?? Number.NaN);
    }
  }

  /** Show a stretch of the past. */
  fillBuckets({ t0Us, widthUs, first, second }: BucketColumns): void {
    this.#length = 0;
    this.#bucketS = widthUs / US_PER_S;
    for (let i = 0; i < first.length; i++) {
      const [a, b] = [first[i], second[i]];
      const atUs = t0Us + i * widthUs;
      if (a == null || b == null) this.#lift(atUs / US_PER_S);
      else this.#addBucket(atUs, widthUs, a, b);
    }
  }

  /** The point nearest to an instant, s; −1 where there is none. */
  nearest(atS: number): number {
    let [low, high] = [0, this.#length - 1];
    if (high < 0) return -1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#x[middle] ?? 0) <= atS) low = middle;
      else high = middle;
    }
    return Math.abs((this.#x[low] ?? 0) - atS) <= Math.abs((this.#x[high] ?? 0) - atS) ? low : high;
  }

  #addBucket(atUs: number, widthUs: number, first: number, second: number): void {
    this.#push((atUs + FIRST_PLACE * widthUs) / US_PER_S, first, Number.NaN);
    this.#push((atUs + SECOND_PLACE * widthUs) / US_PER_S, second, Number.NaN);
  }

  #lift(atS: number): void {
    const isLifted = this.#length === 0 || Number.isNaN(this.#confirmed[this.#length - 1]);
    if (!isLifted) this.#push(atS, Number.NaN, Number.NaN);
  }

  #push(xS: number, confirmed: number, guess: number): void {
    if (this.#length === ROOM) return;
    this.#x[this.#length] = xS;
    this.#confirmed[this.#length] = confirmed;
    this.#guess[this.#length] = guess;
    this.#length += 1;
  }
}
