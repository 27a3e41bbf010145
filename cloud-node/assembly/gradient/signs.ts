/**
 * The sign of a coordinate, foretold by those that were sent before it in the matrix.
 *
 * A gradient is a sum of few outer products, one for each token: where columns j and k agreed in other lines, they are
 * likely to agree in this one.
 *
 *     s(i, j) = Σ over k < j sent in line i:  q(i, k) · pairs(k, j)        pairs(k, j) = Σ over lines before i:  q(·, k) q(·, j)
 *
 * with q = -1, 0, 1. The sign of s is the forecast, its size says how far to trust it. What it sums up are the corners of
 * rectangles, so that it does not matter which way round a matrix is coded; the fewer columns, the smaller the table.
 */
/** So wide a matrix has a table; of a wider one no sign is foretold. */
export const MAX_PAIR_COLUMNS: i32 = 2048;
/** The latest so many of a line are looked at, so that time stays in proportion to what is sent. */
const LATEST: i32 = 64;
/** Sizes of s, in classes: 0, 1, 2, 3, 4, 5-6, 7-8, 9-12, 13-24, beyond. */
export const TRUSTS: i32 = 10;

const SENT: usize = memory.data(64 * 4, 16);

let pairs: usize = 0;
let width: i32 = 0;
let sentInLine: i32 = 0;

/** Bytes of the table of a matrix with so many columns. */
export function pairBytes(columns: i32): usize {
  return columns > MAX_PAIR_COLUMNS ? 0 : <usize>columns * <usize>columns * 2;
}

/** Begin a matrix; `work` has `pairBytes` of it. */
export function openSigns(work: usize, lines: i32, columns: i32): void {
  pairs = work;
  width = lines > 1 && columns <= MAX_PAIR_COLUMNS ? columns : 0;
  memory.fill(work, 0, <usize>width * <usize>width * 2);
  sentInLine = 0;
}

/** s of a column, given what was sent in the line so far. */
export function forecastSign(column: i32): i32 {
  if (width == 0) return 0;
  const from = pairs + ((<usize>column) << 1);
  const stride = (<usize>width) << 1;
  let sum = 0;
  const count = min(sentInLine, LATEST);
  for (let i = 0; i < count; i++) {
    const sent = load<i32>(SENT + ((<usize>i) << 2));
    const pair = <i32>load<i16>(from + <usize>(sent >> 1) * stride);
    sum += sent & 1 ? -pair : pair;
  }
  return sum;
}

/** Of TRUSTS classes, the one of a size of s. */
export function trustOf(size: i32): i32 {
  if (size <= 4) return size;
  return size <= 6 ? 5 : size <= 8 ? 6 : size <= 12 ? 7 : size <= 24 ? 8 : 9;
}

/** A coordinate of the line was sent. @param isNegative  1 or 0 */
export function noteSign(column: i32, isNegative: u32): void {
  if (width == 0) return;
  store<i32>(SENT + ((<usize>(sentInLine & (LATEST - 1))) << 2), (column << 1) | <i32>isNegative);
  sentInLine += 1;
}

/** End a line: its pairs are counted. */
export function closeSignsLine(): void {
  const count = min(sentInLine, LATEST);
  for (let i = 0; i < count; i++) {
    const one = load<i32>(SENT + ((<usize>i) << 2));
    for (let j = 0; j < i; j++) addPair(one, load<i32>(SENT + ((<usize>j) << 2)));
  }
  sentInLine = 0;
}

function addPair(one: i32, other: i32): void {
  const low = min(one >> 1, other >> 1);
  const high = max(one >> 1, other >> 1);
  const at = pairs + ((<usize>(low * width + high)) << 1);
  const moved = <i32>load<i16>(at) + ((one ^ other) & 1 ? -1 : 1);
  store<i16>(at, <i16>max(min(moved, i16.MAX_VALUE), -i16.MAX_VALUE));
}
