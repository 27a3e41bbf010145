import { quantileOf } from "./robust-weights.ts";

/** Rows that are so far from all others that training takes no notice of them, whatever robust mean is asked for. */
export interface GrossLimit {
  /** Shape (d): the middle value of each dimension, which gross rows cannot draw away as they do the mean. */
  readonly centre: Float32Array;
  /** Squared distance from there beyond which a row is gross. */
  readonly squared: number;
}

/** Rows that the centre is taken of: it only tells what is far by a factor of GROSS_LENGTH. */
const CENTRE_ROWS = 1001;
/** As far from the centre as this share of the rows is, and so many times as far, is not gross: more rows than the rest are data. */
const KEPT_SHARE = 0.9;
const GROSS_LENGTH = 8;

/** Which rows are gross, by a sample of all. @param rows  shape (k, d) */
export function grossLimit(rows: Float32Array, d: number): GrossLimit {
  const centre = centreOf(rows, d);
  const lengths = new Float64Array(rows.length / d);
  for (let i = 0; i < lengths.length; i++) lengths[i] = squaredDistance(rows, i * d, centre);
  // Copies of one row would leave nothing else in reach.
  const apart = lengths.filter((length) => length > 0);
  const squared = apart.length === 0 ? Number.POSITIVE_INFINITY : quantileOf(apart, KEPT_SHARE) * GROSS_LENGTH ** 2;
  return { centre, squared };
}

/** Whether a row is gross. @param at  row `at` of rows, shape (k, d) */
export function isGross(rows: Float32Array, at: number, { centre, squared }: GrossLimit): boolean {
  return squaredDistance(rows, at * centre.length, centre) > squared;
}

/** Move the rows that are not gross to the front. @param rows  shape (k, d) @returns those rows, as a view */
export function withoutGross(rows: Float32Array, limit: GrossLimit): Float32Array {
  const d = limit.centre.length;
  let kept = 0;
  for (let at = 0; at * d < rows.length; at++) {
    if (!isGross(rows, at, limit)) rows.copyWithin(d * kept++, at * d, (at + 1) * d);
  }
  return rows.subarray(0, kept * d);
}

function centreOf(rows: Float32Array, d: number): Float32Array {
  const k = rows.length / d;
  const count = Math.min(k, CENTRE_ROWS);
  const column = new Float32Array(count);
  return Float32Array.from({ length: d }, (_, j) => {
    for (let i = 0; i < count; i++) column[i] = rows[Math.floor((i * k) / count) * d + j] ?? 0;
    return column.sort()[count >> 1] ?? 0;
  });
}

function squaredDistance(rows: Float32Array, from: number, centre: Float32Array): number {
  let sum = 0;
  for (let j = 0; j < centre.length; j++) sum += ((rows[from + j] ?? 0) - (centre[j] ?? 0)) ** 2;
  return sum;
}
