/**
 * Copies of matrices into panels: what a tile reads step by step lies side by side. Rows and columns past the end are 0.
 */
import { NARROW_COLUMNS, tileColumns } from "./tile";
import { TILE_ROWS } from "./tile-rows";

/** Bytes of one step of a panel of A. */
export const ROW_STEP: usize = usize(TILE_ROWS) << 2;

/** Bytes of one step of a panel of B. */
export function columnStep(): usize {
  return usize(tileColumns) << 2;
}

/** Bytes of a panel of A. */
export function rowPanelBytes(depth: i32): usize {
  return usize(depth) * ROW_STEP;
}

/** Bytes of a panel of B. */
export function columnPanelBytes(depth: i32): usize {
  return usize(depth) * columnStep();
}

/** A (rows, depth) with its rows `stride` bytes apart, to panels (depth, TILE_ROWS). */
export function packRows(out: usize, a: usize, stride: usize, rows: i32, depth: i32): void {
  for (let row = 0; row < rows; row += TILE_ROWS) {
    // Rows past the end read the first one again, and are cleared below.
    const a0 = a + usize(row) * stride;
    const a1 = row + 1 < rows ? a0 + stride : a0;
    const a2 = row + 2 < rows ? a0 + 2 * stride : a0;
    const a3 = row + 3 < rows ? a0 + 3 * stride : a0;
    transposeFour(out, ROW_STEP, a0, a1, a2, a3, depth);
    if (TILE_ROWS > 4) {
      const a4 = row + 4 < rows ? a0 + 4 * stride : a0;
      transposeTwo(out + 16, a4, row + 5 < rows ? a4 + stride : a0, depth);
    }
    if (row + TILE_ROWS > rows) clearPast(out, rows - row, depth, TILE_ROWS);
    out += rowPanelBytes(depth);
  }
}

/** Panels of A that are filled side by side: of each row a whole cache line is read, and not a part of it once for each. */
const PANELS: i32 = 4;

/** Aᵀ (depth, rows), its rows `stride` bytes apart, to panels (depth, TILE_ROWS) of A. */
export function packRowsTransposed(out: usize, a: usize, stride: usize, rows: i32, depth: i32): void {
  const panel = rowPanelBytes(depth);
  let row = 0;
  for (; row + PANELS * TILE_ROWS <= rows; row += PANELS * TILE_ROWS) {
    copyPanels(out, panel, a, stride);
    a += usize(PANELS) * ROW_STEP;
    out += usize(PANELS) * panel;
  }
  for (; row < rows; row += TILE_ROWS) {
    let from = a;
    let to = out;
    for (let k = 0; k < depth; k++) {
      copyStep(to, from);
      from += stride;
      to += ROW_STEP;
    }
    if (row + TILE_ROWS > rows) clearPast(out, rows - row, depth, TILE_ROWS);
    a += ROW_STEP;
    out += panel;
  }
}

function copyPanels(out: usize, panel: usize, from: usize, stride: usize): void {
  const second = out + panel;
  const third = second + panel;
  const fourth = third + panel;
  for (let at: usize = 0; at < panel; at += ROW_STEP) {
    copyStep(out + at, from);
    copyStep(second + at, from + ROW_STEP);
    copyStep(third + at, from + 2 * ROW_STEP);
    copyStep(fourth + at, from + 3 * ROW_STEP);
    from += stride;
  }
}

/** One step of a panel of A. */
function copyStep(out: usize, from: usize): void {
  v128.store(out, v128.load(from));
  if (TILE_ROWS > 4) i64.store(out, i64.load(from, 16), 16);
}

/** B (depth, columns) with its rows `stride` bytes apart, to panels (depth, tileColumns). */
export function packColumns(out: usize, b: usize, stride: usize, columns: i32, depth: i32): void {
  const width = tileColumns;
  for (let column = 0; column < columns; column += width) {
    const from = b + (usize(column) << 2);
    if (width == NARROW_COLUMNS) copyEight(out, from, stride, depth);
    else copySixteen(out, from, stride, depth);
    if (column + width > columns) clearPast(out, columns - column, depth, width);
    out += columnPanelBytes(depth);
  }
}

function copyEight(out: usize, from: usize, stride: usize, depth: i32): void {
  for (; depth > 0; depth--) {
    v128.store(out, v128.load(from, 16), 16);
    v128.store(out, v128.load(from));
    from += stride;
    out += 32;
  }
}

function copySixteen(out: usize, from: usize, stride: usize, depth: i32): void {
  for (; depth > 0; depth--) {
    v128.store(out, v128.load(from, 16), 16);
    v128.store(out, v128.load(from));
    v128.store(out, v128.load(from, 48), 48);
    v128.store(out, v128.load(from, 32), 32);
    from += stride;
    out += 64;
  }
}

/** Bᵀ (columns, depth), its rows `stride` bytes apart, to panels (depth, tileColumns) of B. */
export function packColumnsTransposed(out: usize, b: usize, stride: usize, columns: i32, depth: i32): void {
  const width = tileColumns;
  for (let column = 0; column < columns; column += width) {
    for (let part = 0; part < width; part += 4) {
      const first = column + part;
      const b0 = b + usize(min(first, columns - 1)) * stride;
      const b1 = b + usize(min(first + 1, columns - 1)) * stride;
      const b2 = b + usize(min(first + 2, columns - 1)) * stride;
      const b3 = b + usize(min(first + 3, columns - 1)) * stride;
      transposeFour(out + (usize(part) << 2), columnStep(), b0, b1, b2, b3, depth);
    }
    if (column + width > columns) clearPast(out, columns - column, depth, width);
    out += columnPanelBytes(depth);
  }
}

/** Four rows side by side: number k of each at `out` + k · step. */
function transposeFour(out: usize, step: usize, x0: usize, x1: usize, x2: usize, x3: usize, depth: i32): void {
  const whole = usize(depth & ~3) << 2;
  const end = usize(depth) << 2;
  for (let offset: usize = 0; offset < whole; offset += 16) {
    const row0 = v128.load(x0 + offset);
    const row1 = v128.load(x1 + offset);
    const row2 = v128.load(x2 + offset);
    const row3 = v128.load(x3 + offset);
    const low01 = i32x4.shuffle(row0, row1, 0, 4, 1, 5);
    const low23 = i32x4.shuffle(row2, row3, 0, 4, 1, 5);
    const high01 = i32x4.shuffle(row0, row1, 2, 6, 3, 7);
    const high23 = i32x4.shuffle(row2, row3, 2, 6, 3, 7);
    v128.store(out, i64x2.shuffle(low01, low23, 0, 2));
    out += step;
    v128.store(out, i64x2.shuffle(low01, low23, 1, 3));
    out += step;
    v128.store(out, i64x2.shuffle(high01, high23, 0, 2));
    out += step;
    v128.store(out, i64x2.shuffle(high01, high23, 1, 3));
    out += step;
  }
  for (let offset = whole; offset < end; offset += 4) {
    f32.store(out, f32.load(x0 + offset));
    f32.store(out, f32.load(x1 + offset), 4);
    f32.store(out, f32.load(x2 + offset), 8);
    f32.store(out, f32.load(x3 + offset), 12);
    out += step;
  }
}

/** Two more rows beside them. */
function transposeTwo(out: usize, x0: usize, x1: usize, depth: i32): void {
  const whole = usize(depth & ~3) << 2;
  const end = usize(depth) << 2;
  for (let offset: usize = 0; offset < whole; offset += 16) {
    const row0 = v128.load(x0 + offset);
    const row1 = v128.load(x1 + offset);
    const low = i32x4.shuffle(row0, row1, 0, 4, 1, 5);
    const high = i32x4.shuffle(row0, row1, 2, 6, 3, 7);
    v128.store64_lane(out, low, 0);
    out += ROW_STEP;
    v128.store64_lane(out, low, 1);
    out += ROW_STEP;
    v128.store64_lane(out, high, 0);
    out += ROW_STEP;
    v128.store64_lane(out, high, 1);
    out += ROW_STEP;
  }
  for (let offset = whole; offset < end; offset += 4) {
    f32.store(out, f32.load(x0 + offset));
    f32.store(out, f32.load(x1 + offset), 4);
    out += ROW_STEP;
  }
}

function clearPast(panel: usize, first: i32, depth: i32, width: i32): void {
  for (let k = 0; k < depth; k++) {
    for (let i = first; i < width; i++) f32.store(panel + (usize(k * width + i) << 2), 0);
  }
}
