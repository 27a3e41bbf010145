/** Products of a block of queries with keys, values and gradients; tiles above the diagonal are left out. */
import { KEY_STRIDE, onePanel, perQuery } from "./attention-scratch";
import { storeLanes, sumLanes } from "./lanes";
import { multiplyPanel } from "./multiply";
import { columnPanelBytes, columnStep, packRows, ROW_STEP, rowPanelBytes } from "./pack";
import { multiplyTiles, tileColumns } from "./tile";
import { TILE_ROWS } from "./tile-rows";

/** out (keys, queries) = panels of keys · panels of queries, in the tiles that have a key no later than a query. */
export function multiplyLower(out: usize, keys: usize, queries: usize, first: i32, count: i32, headDim: i32): void {
  const aPanel = rowPanelBytes(headDim);
  for (let column = 0; column < count; column += tileColumns) {
    const end = min(first + column + tileColumns, first + count);
    const tiles = (end + TILE_ROWS - 1) / TILE_ROWS;
    const to = out + (usize(column) << 2);
    multiplyTiles(to, KEY_STRIDE, keys, ROW_STEP, aPanel, tiles, queries, columnStep(), headDim, 0, 0);
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
    const rows = min(TILE_ROWS, queries - query);
    const a = byKey + (usize(query) << 2);
    for (let column = 0; column < headDim; column += tileColumns) {
      const at = usize(column) << 2;
      const to = out + usize(query) * outStride + at;
      const base = add ? to : usize(0);
      multiplyPanel(to, outStride, a, KEY_STRIDE, 0, x + at, xStride, depth, 0, base, rows, headDim - column);
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
    const rows = min(TILE_ROWS, keys - key);
    for (let column = 0; column < headDim; column += tileColumns) {
      const at = usize(column) << 2;
      const from = x + usize(start) * xStride + at;
      const to = out + usize(key) * outStride + at;
      const base = add ? to : usize(0);
      multiplyPanel(to, outStride, onePanel, ROW_STEP, 0, from, xStride, depth, 0, base, rows, headDim - column);
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
