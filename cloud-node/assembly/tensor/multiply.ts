/** Products of packed panels, and of whole matrices block by block. */
import { storeLanes } from "./lanes";
import { multiplyRow } from "./multiply-row";
import {
  columnPanelBytes,
  packColumns,
  packColumnsTransposed,
  packRows,
  packRowsTransposed,
  rowPanelBytes,
} from "./pack";
import { HALF_COLUMNS, multiplyHalf, multiplyTile, TILE_COLUMNS, TILE_ROWS } from "./tile";
import { edgeTile, panels } from "./work-area";

/** Blocks: panels of B stay in the second-level cache, one of them and one of A in the first. */
const BLOCK_ROWS: i32 = TILE_ROWS * 24;
const BLOCK_COLUMNS: i32 = 512;
const BLOCK_DEPTH: i32 = 384;

/** Bytes from step to step in a panel. */
export const A_STEP: usize = usize(TILE_ROWS) << 2;
export const B_STEP: usize = usize(TILE_COLUMNS) << 2;

/** As `multiplyTile`, of which only `tall` rows and `wide` columns are in C. */
export function multiplyEdge(
  c: usize,
  cStride: usize,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  depth: i32,
  bias: usize,
  residual: usize,
  add: i32,
  tall: i32,
  wide: i32,
): void {
  if (tall >= TILE_ROWS && wide >= TILE_COLUMNS) {
    multiplyTile(c, cStride, a, aStep, b, bStep, depth, bias, residual, add);
  } else if (tall >= TILE_ROWS && wide == HALF_COLUMNS) {
    multiplyHalf(c, cStride, a, aStep, b, bStep, depth, bias, add ? c : residual);
  } else {
    if (wide <= HALF_COLUMNS) multiplyHalf(edgeTile(), B_STEP, a, aStep, b, bStep, depth, 0, 0);
    else multiplyTile(edgeTile(), B_STEP, a, aStep, b, bStep, depth, 0, 0, 0);
    storeEdge(c, cStride, min(tall, TILE_ROWS), min(wide, TILE_COLUMNS), bias, residual, add);
  }
}

/** The part of a tile that is in C. */
function storeEdge(c: usize, cStride: usize, rows: i32, columns: i32, bias: usize, residual: usize, add: i32): void {
  let tile = edgeTile();
  let base = add ? c : residual;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column += 4) {
      const offset = usize(column) << 2;
      let sum = v128.load(tile + offset);
      if (bias != 0) sum = f32x4.add(sum, v128.load(bias + offset));
      if (base != 0) sum = f32x4.add(sum, v128.load(base + offset));
      storeLanes(c + offset, sum, columns - column);
    }
    tile += B_STEP;
    c += cStride;
    if (base != 0) base += cStride;
  }
}

/**
 * C (rows, columns) = A (rows, depth) · B (depth, columns), + bias, + residual, or + C when `add`. A is stored
 * (depth, rows) when `aTransposed`, B (columns, depth) when `bTransposed`. All strides are in numbers.
 */
export function multiply(
  c: usize,
  cStride: i32,
  a: usize,
  aStride: i32,
  aTransposed: bool,
  b: usize,
  bStride: i32,
  bTransposed: bool,
  rows: i32,
  columns: i32,
  depth: i32,
  bias: usize,
  residual: usize,
  add: i32,
): void {
  const steps = (depth + BLOCK_DEPTH - 1) / BLOCK_DEPTH;
  const blockDepth = (depth + steps - 1) / steps;
  const aBytes = usize(aStride) << 2;
  const bBytes = usize(bStride) << 2;
  const cBytes = usize(cStride) << 2;
  if (rows == 1 && bTransposed && !aTransposed) {
    multiplyRow(c, a, b, bBytes, columns, depth, blockDepth, bias, residual, add);
    return;
  }
  for (let column = 0; column < columns; column += BLOCK_COLUMNS) {
    const wide = min(BLOCK_COLUMNS, columns - column);
    for (let step = 0; step < depth; step += blockDepth) {
      const deep = min(blockDepth, depth - step);
      const bPanels = panels();
      if (bTransposed)
        packColumnsTransposed(bPanels, b + usize(column) * bBytes + (usize(step) << 2), bBytes, wide, deep);
      else packColumns(bPanels, b + usize(step) * bBytes + (usize(column) << 2), bBytes, wide, deep);
      const aPanels = bPanels + usize((wide + TILE_COLUMNS - 1) / TILE_COLUMNS) * columnPanelBytes(deep);
      // The bias and the residual come with the first block of steps; later ones add to it.
      const later = step > 0;
      for (let row = 0; row < rows; row += BLOCK_ROWS) {
        const tall = min(BLOCK_ROWS, rows - row);
        if (aTransposed) packRowsTransposed(aPanels, a + usize(step) * aBytes + (usize(row) << 2), aBytes, tall, deep);
        else packRows(aPanels, a + usize(row) * aBytes + (usize(step) << 2), aBytes, tall, deep);
        const at = usize(row) * cBytes + (usize(column) << 2);
        const biasAt = later || bias == 0 ? usize(0) : bias + (usize(column) << 2);
        const residualAt = later || residual == 0 ? usize(0) : residual + at;
        multiplyPanels(c + at, cBytes, aPanels, bPanels, tall, wide, deep, biasAt, residualAt, later ? 1 : add);
      }
    }
  }
}

/** C (rows, columns) = A · B, both packed in panels of `depth` steps. */
function multiplyPanels(
  c: usize,
  cStride: usize,
  a: usize,
  b: usize,
  rows: i32,
  columns: i32,
  depth: i32,
  bias: usize,
  residual: usize,
  add: i32,
): void {
  const aPanel = rowPanelBytes(depth);
  const bPanel = columnPanelBytes(depth);
  for (let column = 0; column < columns; column += TILE_COLUMNS) {
    const biasAt = bias == 0 ? usize(0) : bias + (usize(column) << 2);
    let aAt = a;
    for (let row = 0; row < rows; row += TILE_ROWS) {
      const at = usize(row) * cStride + (usize(column) << 2);
      const residualAt = residual == 0 ? usize(0) : residual + at;
      const tall = rows - row;
      const wide = columns - column;
      multiplyEdge(c + at, cStride, aAt, A_STEP, b, B_STEP, depth, biasAt, residualAt, add, tall, wide);
      aAt += aPanel;
    }
    b += bPanel;
  }
}
