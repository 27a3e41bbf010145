/** Products of a block of queries with keys, values and gradients; tiles above the diagonal are left out. */
import { KEY_STRIDE, onePanel, perQuery } from "./attention-scratch";
import { storeLanes, sumLanes } from "./lanes";
import { A_STEP, B_STEP, multiplyEdge } from "./multiply";
import { columnPanelBytes, packRows, rowPanelBytes } from "./pack";
import { multiplyTile, TILE_COLUMNS, TILE_ROWS } from "./tile";

/** out (keys, queries) = panels of keys · panels of queries, in the tiles that have a key no later than a query. */
export function multiplyLower(out: usize, keys: usize, queries: usize, first: i32, count: i32, headDim: i32): void {
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

/** out (queries, headDim) = weights, by query, · x (keys, headDim). */
export function multiplyWeights(
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
export function multiplyByKey(
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
export function divideRows(out: usize, stride: usize, queries: i32, headDim: i32): void {
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
export function rowProducts(a: usize, b: usize, stride: usize, queries: i32, headDim: i32): void {
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
