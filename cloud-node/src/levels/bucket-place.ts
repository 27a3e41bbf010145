/** Buckets are stored from this power of two of the sample period on, and never finer: below, a replay is as quick. */
export const LEAST_STORED_SHIFT = 6;

/** A raster has at least so many steps per bound, so that rounding to it adds little to the bound. */
const STEPS_PER_BOUND = 8;

/**
 * Number of the bucket that a sample lies in: buckets are counted from Unix 0 of device time, 2^shift periods each.
 *
 * A coarser bucket holds whole finer ones, also where a period is no whole number of microseconds: the quotient is
 * rounded once, and halving it is exact.
 */
export function bucketNumber(timeUs: number, periodUs: number, shift: number): number {
  return Math.floor(timeUs / periodUs / 2 ** shift);
}

/**
 * Extremes of wide buckets lie on a raster of 2^shift codec units, the low one rounded down and the high one up: never
 * narrower than the samples, and wider by an eighth of the bound at most. The last bits of a reconstruction are noise
 * of the codec far below its bound; stored for every bucket they would cost more than all that is above them.
 *
 * @param e  the channel's bound, codec units; 0 gives 0, so that what is kept exactly is told exactly
 * @param bucketShift  of the buckets; narrow ones are never stored, and are exact
 */
export function rasterShift(e: number, bucketShift: number): number {
  if (bucketShift < LEAST_STORED_SHIFT || e < STEPS_PER_BOUND) return 0;
  return Math.floor(Math.log2(e / STEPS_PER_BOUND));
}
