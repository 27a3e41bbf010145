/** Products of packed panels, and of whole matrices block by block. */
import { storeLanes } from "./lanes";
import { multiplyRow } from "./multiply-row";
import { multiplyNarrow } from "./narrow-tile";
import {
  columnPanelBytes,
  columnStep,
  packColumns,
  packColumnsTransposed,
  packRows,
  packRowsTransposed,
  ROW_STEP,
  rowPanelBytes,
} from "./pack";
import { multiplyTiles, NARROW_COLUMNS, tileColumns } from "./tile";
import { TILE_ROWS } from "./tile-rows";
import { edgeTile, panels } from "./work-area";

/** Bytes from row to row of the edge's tile. */
const EDGE_STRIDE: usize = 64;
/** Blocks: panels of B stay in the second-level cache, one of them and one of A in the first. */
const BLOCK_ROWS: i32 = TILE_ROWS * (TILE_ROWS > 4 ? 20 : 30);
const BLOCK_COLUMNS: i32 = 512;
const BLOCK_DEPTH: i32 = 384;

/**
 * C = A · B, plus `bias` or 0, plus `base` or 0, as `multiplyTiles` for as many tiles as `rows` need, of which only `rows`
 * and `columns` are in C.
 */
export function multiplyPanel(
  c: usize,
  cStride: usize,
  a: usize,
  aStep: usize,
  aPanel: usize,
  b: usize,
  bStep: usize,
  depth: i32,
  bias: usize,
  base: usize,
  rows: i32,
  columns: i32,
): void {
  let row = 0;
  if (columns >= tileColumns) {
    const tiles = rows / TILE_ROWS;
    multiplyTiles(c, cStride, a, aStep, aPanel, tiles, b, bStep, depth, bias, base);
    row = tiles * TILE_ROWS;
  } else if (columns == NARROW_COLUMNS) {
    const tiles = rows / TILE_ROWS;
    multiplyNarrow(c, cStride, a, aStep, aPanel, tiles, b, bStep, depth, bias, base);
    row = tiles * TILE_ROWS;
  }
  a += usize(row / TILE_ROWS) * aPanel;
  for (; row < rows; row += TILE_ROWS) {
    if (columns <= NARROW_COLUMNS) multiplyNarrow(edgeTile(), EDGE_STRIDE, a, aStep, 0, 1, b, bStep, depth, 0, 0);
    else multiplyTiles(edgeTile(), EDGE_STRIDE, a, aStep, 0, 1, b, bStep, depth, 0, 0);
    const offset = usize(row) * cStride;
    const baseAt = base == 0 ? usize(0) : base + offset;
    storeEdge(c + offset, cStride, min(rows - row, TILE_ROWS), min(columns, tileColumns), bias, baseAt);
    a += aPanel;
  }
}

/** The part of a tile that is in C. */
function storeEdge(c: usize, cStride: usize, rows: i32, columns: i32, bias: usize, base: usize): void {
  let tile = edgeTile();
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column += 4) {
      const offset = usize(column) << 2;
      let sum = v128.load(tile + offset);
      if (bias != 0) sum = f32x4.add(sum, v128.load(bias + offset));
      if (base != 0) sum = f32x4.add(sum, v128.load(base + offset));
      storeLanes(c + offset, sum, columns - column);
    }
    tile += EDGE_STRIDE;
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
      const aPanels = bPanels + usize((wide + tileColumns - 1) / tileColumns) * columnPanelBytes(deep);
      // The bias and the residual come with the first block of steps; later ones add to it.
      const later = step > 0;
      for (let row = 0; row < rows; row += BLOCK_ROWS) {
        const tall = min(BLOCK_ROWS, rows - row);
        if (aTransposed) packRowsTransposed(aPanels, a + usize(step) * aBytes + (usize(row) << 2), aBytes, tall, deep);
        else packRows(aPanels, a + usize(row) * aBytes + (usize(step) << 2), aBytes, tall, deep);
        const at = usize(row) * cBytes + (usize(column) << 2);
        const biasAt = later || bias == 0 ? usize(0) : bias + (usize(column) << 2);
        const base = later || add ? c + at : residual == 0 ? usize(0) : residual + at;
        multiplyPanels(c + at, cBytes, aPanels, bPanels, tall, wide, deep, biasAt, base);
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
  base: usize,
): void {
  const aPanel = rowPanelBytes(depth);
  const step = columnStep();
  for (let column = 0; column < columns; column += tileColumns) {
    const at = usize(column) << 2;
    const biasAt = bias == 0 ? usize(0) : bias + at;
    const baseAt = base == 0 ? usize(0) : base + at;
    multiplyPanel(c + at, cStride, a, ROW_STEP, aPanel, b, step, depth, biasAt, baseAt, rows, columns - column);
    b += columnPanelBytes(depth);
  }
}
