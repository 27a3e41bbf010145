/** Errors and originals of some channels, in buckets of device time. */
export interface ErrorColumns {
  /** Smallest and largest error as a part of eps; NaN where nothing was compared. */
  readonly min: Float64Array;
  readonly max: Float64Array;
  /** Extremes of the truth in the order in which they occurred; NaN where nothing was compared. */
  readonly first: Float64Array;
  readonly second: Float64Array;
}

/** Errors are told to a thousandth of eps. */
const STEPS = 1_000;
/** Binary fractions put 0.5 a little beside 0.5; this much is taken for the decimal that was meant. */
const SLACK = 1e-9;
/** What stands for any error where the bound is 0. */
const BEYOND_ALL = 1e6;

/**
 * An error as a part of its bound.
 *
 * @param eps  ≥ 0; a channel with 0 is exact, and any error of it is far beyond
 */
export function errorShare(value: number, truth: number, eps: number): number {
  const error = value - truth;
  if (eps > 0) return error / eps;
  return error === 0 ? 0 : Math.sign(error) * BEYOND_ALL;
}

/** An error as drawings show it: rounded against ourselves, away from zero; null for none. */
export function roundedShare(share: number): number | null {
  if (Number.isNaN(share)) return null;
  const rounded = (Math.sign(share) * Math.ceil(Math.abs(share) * STEPS - SLACK)) / STEPS;
  return rounded === 0 ? 0 : rounded;
}

/** Sorts errors into buckets as they are found. */
export class ErrorBuckets {
  readonly columns: readonly ErrorColumns[];
  /** Channel-samples compared, and those further away than eps. */
  compared = 0;
  beyondEps = 0;
  maxErrorShare = Number.NaN;

  constructor(count: number, channels: number) {
    const column = () => new Float64Array(count).fill(Number.NaN);
    this.columns = Array.from({ length: channels }, () => {
      return { min: column(), max: column(), first: column(), second: column() };
    });
  }

  /** Take one sample of a channel; samples come in the order of time. */
  add(bucket: number, channel: number, share: number, truth: number): void {
    const { min, max, first, second } = this.columns[channel] ?? NO_COLUMNS;
    this.compared += 1;
    if (!(Math.abs(share) <= 1)) this.beyondEps += 1;
    this.maxErrorShare = Math.max(Number.isNaN(this.maxErrorShare) ? 0 : this.maxErrorShare, Math.abs(share));
    const [low, high] = [min[bucket] ?? Number.NaN, max[bucket] ?? Number.NaN];
    min[bucket] = Number.isNaN(low) ? share : Math.min(low, share);
    max[bucket] = Number.isNaN(high) ? share : Math.max(high, share);
    const [a, b] = [first[bucket] ?? Number.NaN, second[bucket] ?? Number.NaN];
    // The extreme that stays occurred before the one that comes.
    if (!Number.isNaN(a) && truth >= Math.min(a, b) && truth <= Math.max(a, b)) return;
    first[bucket] = Number.isNaN(a) ? truth : truth < Math.min(a, b) ? Math.max(a, b) : Math.min(a, b);
    second[bucket] = truth;
  }
}

const NONE = new Float64Array(0);
const NO_COLUMNS: ErrorColumns = { min: NONE, max: NONE, first: NONE, second: NONE };
