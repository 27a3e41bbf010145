/** Softmaxes of a block of queries, eight side by side: the scores of each are in a lane, its keys one below the other. */
import { KEY_STRIDE, perQuery, weightGrads, weights } from "./attention-scratch";
import { dropVectors } from "./dropout";
import { exponentials, logarithm } from "./functions";
import { storeLanes } from "./lanes";
import { TILE_ROWS } from "./tile-rows";

/** Queries of a softmax: a pair of vectors. */
const GROUP: i32 = 8;
/** A score whose weight is 0. */
const UNREACHED: f32 = -1e30;

/** Leave weights out, or their gradients: place ((sequence · heads + head) · T + query) · T + key. */
export function dropWeights(byKey: usize, draw: usize, rate: f64, pair: i32, T: i32, first: i32, queries: i32): void {
  for (let query = 0; query < queries; query += 4) {
    const at = byKey + (usize(query) << 2);
    const end = min(first + query + 4, first + queries);
    dropVectors(at, at, KEY_STRIDE, end, draw, rate, (pair * T + first + query) * T, T, 1);
  }
}

/** e^(scale · (score - largest)) in place, 0 after the query itself; sums go to `perQuery`, their logarithms out. */
export function softmax(logSums: usize, first: i32, queries: i32, scale: f32): void {
  const factors = f32x4.splat(scale);
  for (let query = 0; query < queries; query += GROUP) {
    const offset = usize(query) << 2;
    const start = weights + offset;
    const sums = perQuery + offset;
    const end = maskPast(start, first + query + 1, first + queries);
    columnLargest(sums, start, end);
    const low = f32x4.mul(v128.load(sums), factors);
    const high = f32x4.mul(v128.load(sums, 16), factors);
    exponentials(start, start, KEY_STRIDE, end, factors, low, high);
    columnTotals(sums, start, end);
    clearPast(start, end, first + queries);
    const left = queries - query;
    storeLanes(logSums + offset, f32x4.add(low, logarithm(v128.load(sums))), left);
    if (left > 4) storeLanes(logSums + offset + 16, f32x4.add(high, logarithm(v128.load(sums, 16))), left - 4);
  }
}

/** Scores become weights, and gradients of weights those of scores. */
export function softmaxGradient(logSums: usize, first: i32, queries: i32, scale: f32): void {
  const factors = f32x4.splat(scale);
  for (let query = 0; query < queries; query += GROUP) {
    const offset = usize(query) << 2;
    const start = weights + offset;
    const end = maskPast(start, first + query + 1, first + queries);
    const sums = logSums + offset;
    exponentials(start, start, KEY_STRIDE, end, factors, v128.load(sums), v128.load(sums, 16));
    const meanLow = v128.load(perQuery + offset);
    const meanHigh = v128.load(perQuery + offset, 16);
    let at = start;
    let gradAt = weightGrads + offset;
    for (let key = 0; key < end; key++) {
      const low = f32x4.mul(v128.load(at), factors);
      const high = f32x4.mul(v128.load(at, 16), factors);
      const gradLow = f32x4.sub(v128.load(gradAt), meanLow);
      const gradHigh = f32x4.sub(v128.load(gradAt, 16), meanHigh);
      v128.store(gradAt, f32x4.mul(high, gradHigh), 16);
      v128.store(gradAt, f32x4.mul(low, gradLow));
      at += KEY_STRIDE;
      gradAt += KEY_STRIDE;
    }
    clearPast(start, end, first + queries);
    clearPast(weightGrads + offset, end, first + queries);
  }
}

/**
 * Scores of a group of queries, the first of which reaches the keys below `open`: those that one of them does not reach
 * become so small that their weights are 0.
 *
 * @returns the keys that any of the group reaches
 */
function maskPast(scores: usize, open: i32, keys: i32): i32 {
  const end = min(open + GROUP - 1, keys);
  const unreached = f32x4.splat(UNREACHED);
  for (let key = open; key < end; key++) {
    const at = scores + usize(key) * KEY_STRIDE;
    const past = i32x4.splat(key - open);
    v128.store(at, v128.bitselect(v128.load(at, 16), unreached, i32x4.gt_s(i32x4(4, 5, 6, 7), past)), 16);
    v128.store(at, v128.bitselect(v128.load(at), unreached, i32x4.gt_s(i32x4(0, 1, 2, 3), past)));
  }
  return end;
}

/** The largest of the columns, to a pair of vectors. */
function columnLargest(largest: usize, at: usize, count: i32): void {
  let low = v128.load(at);
  let high = v128.load(at, 16);
  for (; count > 1; count--) {
    at += KEY_STRIDE;
    low = f32x4.pmax(low, v128.load(at));
    high = f32x4.pmax(high, v128.load(at, 16));
  }
  v128.store(largest, high, 16);
  v128.store(largest, low);
}

/** Sums of the columns, key by key, to a pair of vectors. */
function columnTotals(sums: usize, at: usize, count: i32): void {
  let low = f32x4.splat(0);
  let high = f32x4.splat(0);
  for (; count > 0; count--) {
    low = f32x4.add(low, v128.load(at));
    high = f32x4.add(high, v128.load(at, 16));
    at += KEY_STRIDE;
  }
  v128.store(sums, high, 16);
  v128.store(sums, low);
}

/** Weights of keys from `end` on, which none of a group reaches, and a tile that begins in the group may meet. */
function clearPast(at: usize, end: i32, keys: i32): void {
  at += usize(end) * KEY_STRIDE;
  for (let key = min(keys - end, TILE_ROWS); key > 0; key--) {
    v128.store(at, f32x4.splat(0), 16);
    v128.store(at, f32x4.splat(0));
    at += KEY_STRIDE;
  }
}
