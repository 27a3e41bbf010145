/**
 * Causal attention, a block of queries at a time. Weights are kept by key, so that a vector holds neighbouring queries
 * and a softmax needs no sums across lanes; tiles above the diagonal are left out.
 *
 *   scratch  K panels | V panels | Q panels of a block | gradient panels of a block | weights (keys, 64)
 *            | gradients of weights (keys, 64) | one panel | one number for each query
 */
import { dropVectors, isDrawn } from "./dropout";
import { exponentials, logarithm } from "./functions";
import { storeLanes, sumLanes } from "./lanes";
import { A_STEP, B_STEP, multiplyEdge } from "./multiply";
import { columnPanelBytes, packColumnsTransposed, packRows, rowPanelBytes } from "./pack";
import { multiplyTile, TILE_COLUMNS, TILE_ROWS } from "./tile";

/** Queries of a block. */
export const ATTENTION_BLOCK: i32 = 64;
/** Queries of a softmax: a pair of vectors. */
const GROUP: i32 = 8;
/** A score whose weight is 0. */
const UNREACHED: f32 = -1e30;
/** Bytes from key to key of the weights. */
const KEY_STRIDE: usize = 256;

let keyPanels: usize = 0;
let valuePanels: usize = 0;
let queryPanels: usize = 0;
let gradPanels: usize = 0;
let weights: usize = 0;
let weightGrads: usize = 0;
let onePanel: usize = 0;
let perQuery: usize = 0;

/** Numbers of scratch for sequences of T rows. */
export function attentionScratch(T: i32, headDim: i32): i32 {
  return i32(layOut(0, T, headDim) >> 2);
}

function layOut(scratch: usize, T: i32, headDim: i32): usize {
  const keys = usize((T + 15) & ~7);
  const heads = (keys * usize(headDim)) << 2;
  const blocks = usize(ATTENTION_BLOCK * headDim) << 2;
  keyPanels = scratch;
  valuePanels = keyPanels + heads;
  queryPanels = valuePanels + heads;
  gradPanels = queryPanels + blocks;
  weights = gradPanels + blocks;
  weightGrads = weights + keys * KEY_STRIDE;
  onePanel = weightGrads + keys * KEY_STRIDE;
  perQuery = onePanel + (ATTENTION_BLOCK << 5);
  return perQuery + KEY_STRIDE;
}

export function attention(
  out: usize,
  q: usize,
  k: usize,
  v: usize,
  logSums: usize,
  scratch: usize,
  batch: i32,
  T: i32,
  heads: i32,
  kvHeads: i32,
  headDim: i32,
  qStride: i32,
  kStride: i32,
  vStride: i32,
  scale: f32,
  draw: usize,
  rate: f64,
): void {
  layOut(scratch, T, headDim);
  const group = heads / kvHeads;
  const outBytes = usize(heads * headDim) << 2;
  const qBytes = usize(qStride) << 2;
  const kBytes = usize(kStride) << 2;
  const vBytes = usize(vStride) << 2;
  for (let pair = 0; pair < batch * heads; pair++) {
    const head = pair % heads;
    const row = usize((pair / heads) * T);
    const column = usize(head * headDim) << 2;
    const kvColumn = usize((head / group) * headDim) << 2;
    const values = v + row * vBytes + kvColumn;
    if (head % group == 0) packRows(keyPanels, k + row * kBytes + kvColumn, kBytes, T, headDim);
    for (let first = 0; first < T; first += ATTENTION_BLOCK) {
      const queries = min(ATTENTION_BLOCK, T - first);
      packColumnsTransposed(queryPanels, q + (row + first) * qBytes + column, qBytes, queries, headDim);
      multiplyLower(weights, keyPanels, queryPanels, first, queries, headDim);
      softmax(logSums + (usize(pair * T + first) << 2), first, queries, scale);
      if (isDrawn(draw)) dropWeights(weights, draw, rate, pair, T, first, queries);
      const to = out + (row + first) * outBytes + column;
      multiplyWeights(to, outBytes, weights, values, vBytes, first, queries, headDim, 0);
      divideRows(to, outBytes, queries, headDim);
    }
  }
}

export function attentionGradient(
  qGrad: usize,
  kGrad: usize,
  vGrad: usize,
  grad: usize,
  out: usize,
  q: usize,
  k: usize,
  v: usize,
  logSums: usize,
  scratch: usize,
  batch: i32,
  T: i32,
  heads: i32,
  kvHeads: i32,
  headDim: i32,
  qStride: i32,
  kStride: i32,
  vStride: i32,
  scale: f32,
  draw: usize,
  rate: f64,
  addQ: i32,
  addK: i32,
  addV: i32,
): void {
  layOut(scratch, T, headDim);
  const group = heads / kvHeads;
  const outBytes = usize(heads * headDim) << 2;
  const qBytes = usize(qStride) << 2;
  const kBytes = usize(kStride) << 2;
  const vBytes = usize(vStride) << 2;
  for (let pair = 0; pair < batch * heads; pair++) {
    const head = pair % heads;
    const row = usize((pair / heads) * T);
    const column = usize(head * headDim) << 2;
    const kvColumn = usize((head / group) * headDim) << 2;
    const keyAt = row * kBytes + kvColumn;
    const valueAt = row * vBytes + kvColumn;
    if (head % group == 0) {
      packRows(keyPanels, k + keyAt, kBytes, T, headDim);
      packRows(valuePanels, v + valueAt, vBytes, T, headDim);
    }
    // The last block has all keys: it writes their gradients first, and the others add to them.
    const lastBlock = (T - 1) & ~(ATTENTION_BLOCK - 1);
    for (let first = lastBlock; first >= 0; first -= ATTENTION_BLOCK) {
      const queries = min(ATTENTION_BLOCK, T - first);
      const isLater = head % group != 0 || first < lastBlock;
      const queryAt = (row + first) * qBytes + column;
      const from = grad + (row + first) * outBytes + column;
      packColumnsTransposed(queryPanels, q + queryAt, qBytes, queries, headDim);
      packColumnsTransposed(gradPanels, from, outBytes, queries, headDim);
      multiplyLower(weights, keyPanels, queryPanels, first, queries, headDim);
      multiplyLower(weightGrads, valuePanels, gradPanels, first, queries, headDim);
      if (isDrawn(draw)) dropWeights(weightGrads, draw, rate, pair, T, first, queries);
      rowProducts(from, out + (row + first) * outBytes + column, outBytes, queries, headDim);
      softmaxGradient(logSums + (usize(pair * T + first) << 2), first, queries, scale);
      if (isDrawn(draw)) dropWeights(weights, draw, rate, pair, T, first, queries);
      if (vGrad != 0) {
        multiplyByKey(vGrad + valueAt, vBytes, weights, from, outBytes, first, queries, headDim, isLater ? 1 : addV);
      }
      if (kGrad != 0) {
        multiplyByKey(
          kGrad + keyAt,
          kBytes,
          weightGrads,
          q + queryAt,
          qBytes,
          first,
          queries,
          headDim,
          isLater ? 1 : addK,
        );
      }
      if (qGrad != 0) {
        multiplyWeights(qGrad + queryAt, qBytes, weightGrads, k + keyAt, kBytes, first, queries, headDim, addQ);
      }
    }
  }
}

/** out (keys, queries) = panels of keys · panels of queries, in the tiles that have a key no later than a query. */
function multiplyLower(out: usize, keys: usize, queries: usize, first: i32, count: i32, headDim: i32): void {
  const aPanel = rowPanelBytes(headDim);
  for (let column = 0; column < count; column += TILE_COLUMNS) {
    const end = min(first + column + TILE_COLUMNS, first + count);
    let a = keys;
    let to = out + (usize(column) << 2);
    for (let row = 0; row < end; row += TILE_ROWS) {
      multiplyTile(to, KEY_STRIDE, a, A_STEP, queries, B_STEP, headDim, 0, 0, 0);
      a += aPanel;
      to += KEY_STRIDE * usize(TILE_ROWS);
    }
    queries += columnPanelBytes(headDim);
  }
}

/** Leave weights out, or their gradients: place ((sequence · heads + head) · T + query) · T + key. */
function dropWeights(byKey: usize, draw: usize, rate: f64, pair: i32, T: i32, first: i32, queries: i32): void {
  for (let query = 0; query < queries; query += 4) {
    const at = byKey + (usize(query) << 2);
    const end = min(first + query + 4, first + queries);
    dropVectors(at, at, KEY_STRIDE, end, draw, rate, (pair * T + first + query) * T, T, 1);
  }
}

/** e^(scale · (score - largest)) in place, 0 after the query itself; sums go to `perQuery`, their logarithms out. */
function softmax(logSums: usize, first: i32, queries: i32, scale: f32): void {
  const factors = f32x4.splat(scale);
  for (let query = 0; query < queries; query += GROUP) {
    const offset = usize(query) << 2;
    const start = weights + offset;
    const sums = perQuery + offset;
    const end = maskPast(start, first + query + 1, first + queries);
    const low = f32x4.mul(columnLargest(start, end), factors);
    const high = f32x4.mul(columnLargest(start + 16, end), factors);
    exponentials(start, start, KEY_STRIDE, end, factors, low, high, sums);
    clearPast(start, end, first + queries);
    const left = queries - query;
    storeLanes(logSums + offset, f32x4.add(low, logarithm(v128.load(sums))), left);
    if (left > 4) storeLanes(logSums + offset + 16, f32x4.add(high, logarithm(v128.load(sums, 16))), left - 4);
  }
}

/** Scores become weights, and gradients of weights those of scores. */
function softmaxGradient(logSums: usize, first: i32, queries: i32, scale: f32): void {
  const factors = f32x4.splat(scale);
  for (let query = 0; query < queries; query += GROUP) {
    const offset = usize(query) << 2;
    const start = weights + offset;
    const end = maskPast(start, first + query + 1, first + queries);
    const sums = logSums + offset;
    exponentials(start, start, KEY_STRIDE, end, factors, v128.load(sums), v128.load(sums, 16), 0);
    const meanLow = v128.load(perQuery + offset);
    const meanHigh = v128.load(perQuery + offset, 16);
    let at = start;
    let gradAt = weightGrads + offset;
    for (let key = 0; key < end; key++) {
      const low = f32x4.mul(v128.load(at), factors);
      const high = f32x4.mul(v128.load(at, 16), factors);
      const gradLow = f32x4.sub(v128.load(gradAt), meanLow);
      const gradHigh = f32x4.sub(v128.load(gradAt, 16), meanHigh);
      v128.store(gradAt, f32x4.mul(low, gradLow));
      v128.store(gradAt, f32x4.mul(high, gradHigh), 16);
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
    v128.store(at, v128.bitselect(v128.load(at), unreached, i32x4.gt_s(i32x4(0, 1, 2, 3), past)));
    v128.store(at, v128.bitselect(v128.load(at, 16), unreached, i32x4.gt_s(i32x4(4, 5, 6, 7), past)), 16);
  }
  return end;
}

function columnLargest(at: usize, count: i32): v128 {
  let even = v128.load(at);
  let odd = even;
  for (; count > 1; count -= 2) {
    even = f32x4.pmax(even, v128.load(at));
    odd = f32x4.pmax(odd, v128.load(at + KEY_STRIDE));
    at += 2 * KEY_STRIDE;
  }
  return f32x4.pmax(count > 0 ? f32x4.pmax(even, v128.load(at)) : even, odd);
}

/** Weights of keys from `end` on, which none of a group reaches, and a tile that begins in the group may meet. */
function clearPast(at: usize, end: i32, keys: i32): void {
  at += usize(end) * KEY_STRIDE;
  for (let key = min(keys - end, TILE_ROWS); key > 0; key--) {
    v128.store(at, f32x4.splat(0));
    v128.store(at, f32x4.splat(0), 16);
    at += KEY_STRIDE;
  }
}

/** out (queries, headDim) = weights, by query, · x (keys, headDim). */
function multiplyWeights(
  out: usize,
  outStride: usize,
  byKey: usize,
  x: usize,
  xStride: usize,
  first: i32,
  queries: i32,
  headDim: i32,
  add: i32,
): void {
  for (let query = 0; query < queries; query += TILE_ROWS) {
    const depth = min(first + query + TILE_ROWS, first + queries);
    for (let column = 0; column < headDim; column += TILE_COLUMNS) {
      const offset = usize(column) << 2;
      const a = byKey + (usize(query) << 2);
      const to = out + usize(query) * outStride + offset;
      multiplyEdge(
        to,
        outStride,
        a,
        KEY_STRIDE,
        x + offset,
        xStride,
        depth,
        0,
        0,
        add,
        queries - query,
        headDim - column,
      );
    }
  }
}

/** out (keys, headDim) = weights, by key, · x (queries, headDim), over the queries that a key reaches. */
function multiplyByKey(
  out: usize,
  outStride: usize,
  byKey: usize,
  x: usize,
  xStride: usize,
  first: i32,
  queries: i32,
  headDim: i32,
  add: i32,
): void {
  const keys = first + queries;
  for (let key = 0; key < keys; key += TILE_ROWS) {
    const start = max(0, key - first);
    const depth = queries - start;
    packRows(onePanel, byKey + usize(key) * KEY_STRIDE + (usize(start) << 2), KEY_STRIDE, TILE_ROWS, depth);
    for (let column = 0; column < headDim; column += TILE_COLUMNS) {
      const offset = usize(column) << 2;
      const from = x + usize(start) * xStride + offset;
      const to = out + usize(key) * outStride + offset;
      multiplyEdge(to, outStride, onePanel, A_STEP, from, xStride, depth, 0, 0, add, keys - key, headDim - column);
    }
  }
}

/** Rows of a block over the sums in `perQuery`. */
function divideRows(out: usize, stride: usize, queries: i32, headDim: i32): void {
  for (let query = 0; query < queries; query++) {
    const factor = f32x4.splat(f32(1) / f32.load(perQuery + (usize(query) << 2)));
    for (let i = 0; i < headDim; i += 4) {
      const at = out + (usize(i) << 2);
      storeLanes(at, f32x4.mul(v128.load(at), factor), headDim - i);
    }
    out += stride;
  }
}

/** Products of two rows each, to `perQuery`. */
function rowProducts(a: usize, b: usize, stride: usize, queries: i32, headDim: i32): void {
  for (let query = 0; query < queries; query++) {
    f32.store(perQuery + (usize(query) << 2), dot(a, b, headDim));
    a += stride;
    b += stride;
  }
}

export function dot(a: usize, b: usize, count: i32): f32 {
  let sums = f32x4.splat(0);
  const whole = count & ~3;
  for (let i = 0; i < whole; i += 4) {
    const offset = usize(i) << 2;
    sums = f32x4.add(sums, f32x4.mul(v128.load(a + offset), v128.load(b + offset)));
  }
  let sum = sumLanes(sums);
  for (let i = whole; i < count; i++) sum += f32.load(a + (usize(i) << 2)) * f32.load(b + (usize(i) << 2));
  return sum;
}
