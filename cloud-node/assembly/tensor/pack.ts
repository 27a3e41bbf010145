/** Copies of matrices into panels: what a tile reads step by step lies side by side. Rows and columns past the end are 0. */
import { TILE_COLUMNS, TILE_ROWS } from "./tile";

/** Bytes of B's panels for (depth, columns). */
export function columnPanelBytes(depth: i32, columns: i32): usize {
  return usize(((columns + TILE_COLUMNS - 1) / TILE_COLUMNS) * TILE_COLUMNS) * depth * 4;
}

/** A (rows, depth) with its rows `stride` bytes apart, to panels (depth, 4). */
export function packRows(out: usize, a: usize, stride: usize, rows: i32, depth: i32): void {
  const whole = depth & ~3;
  for (let row = 0; row < rows; row += TILE_ROWS) {
    const a0 = a + usize(row) * stride;
    // Rows past the end read the last one again, and are cleared below.
    const a1 = row + 1 < rows ? a0 + stride : a0;
    const a2 = row + 2 < rows ? a1 + stride : a0;
    const a3 = row + 3 < rows ? a2 + stride : a0;
    let at = out;
    for (let k = 0; k < whole; k += 4) {
      const offset = usize(k) << 2;
      storeTransposed(
        at,
        v128.load(a0 + offset),
        v128.load(a1 + offset),
        v128.load(a2 + offset),
        v128.load(a3 + offset),
      );
      at += 64;
    }
    for (let k = whole; k < depth; k++) {
      const offset = usize(k) << 2;
      f32.store(at, f32.load(a0 + offset));
      f32.store(at, f32.load(a1 + offset), 4);
      f32.store(at, f32.load(a2 + offset), 8);
      f32.store(at, f32.load(a3 + offset), 12);
      at += 16;
    }
    if (row + TILE_ROWS > rows) clearPast(out, rows - row, depth, TILE_ROWS);
    out = at;
  }
}

/** Aᵀ (depth, rows), its rows `stride` bytes apart, to panels (depth, 4) of A. */
export function packRowsTransposed(out: usize, a: usize, stride: usize, rows: i32, depth: i32): void {
  for (let row = 0; row < rows; row += TILE_ROWS) {
    let from = a + (usize(row) << 2);
    const start = out;
    for (let k = 0; k < depth; k++) {
      v128.store(out, v128.load(from));
      from += stride;
      out += 16;
    }
    if (row + TILE_ROWS > rows) clearPast(start, rows - row, depth, TILE_ROWS);
  }
}

/** B (depth, columns) with its rows `stride` bytes apart, to panels (depth, 8). */
export function packColumns(out: usize, b: usize, stride: usize, columns: i32, depth: i32): void {
  for (let column = 0; column < columns; column += TILE_COLUMNS) {
    let from = b + (usize(column) << 2);
    const start = out;
    for (let k = 0; k < depth; k++) {
      v128.store(out, v128.load(from));
      v128.store(out, v128.load(from, 16), 16);
      from += stride;
      out += 32;
    }
    if (column + TILE_COLUMNS > columns) clearPast(start, columns - column, depth, TILE_COLUMNS);
  }
}

/** Bᵀ (columns, depth), its rows `stride` bytes apart, to panels (depth, 8) of B. */
export function packColumnsTransposed(out: usize, b: usize, stride: usize, columns: i32, depth: i32): void {
  for (let column = 0; column < columns; column += TILE_COLUMNS) {
    for (let half = 0; half < TILE_COLUMNS; half += 4) {
      const first = column + half;
      const b0 = b + usize(min(first, columns - 1)) * stride;
      const b1 = b + usize(min(first + 1, columns - 1)) * stride;
      const b2 = b + usize(min(first + 2, columns - 1)) * stride;
      const b3 = b + usize(min(first + 3, columns - 1)) * stride;
      let at = out + (usize(half) << 2);
      const whole = depth & ~3;
      for (let k = 0; k < whole; k += 4) {
        const offset = usize(k) << 2;
        storeTransposedApart(
          at,
          v128.load(b0 + offset),
          v128.load(b1 + offset),
          v128.load(b2 + offset),
          v128.load(b3 + offset),
        );
        at += 128;
      }
      for (let k = whole; k < depth; k++) {
        const offset = usize(k) << 2;
        f32.store(at, f32.load(b0 + offset));
        f32.store(at, f32.load(b1 + offset), 4);
        f32.store(at, f32.load(b2 + offset), 8);
        f32.store(at, f32.load(b3 + offset), 12);
        at += 32;
      }
    }
    if (column + TILE_COLUMNS > columns) clearPast(out, columns - column, depth, TILE_COLUMNS);
    out += usize(depth) << 5;
  }
}

/** The 4 × 4 transpose of four vectors, one behind the other. */
function storeTransposed(out: usize, x0: v128, x1: v128, x2: v128, x3: v128): void {
  const low01 = i32x4.shuffle(x0, x1, 0, 4, 1, 5);
  const low23 = i32x4.shuffle(x2, x3, 0, 4, 1, 5);
  const high01 = i32x4.shuffle(x0, x1, 2, 6, 3, 7);
  const high23 = i32x4.shuffle(x2, x3, 2, 6, 3, 7);
  v128.store(out, i64x2.shuffle(low01, low23, 0, 2));
  v128.store(out, i64x2.shuffle(low01, low23, 1, 3), 16);
  v128.store(out, i64x2.shuffle(high01, high23, 0, 2), 32);
  v128.store(out, i64x2.shuffle(high01, high23, 1, 3), 48);
}

/** The same with 16 bytes between the rows. */
function storeTransposedApart(out: usize, x0: v128, x1: v128, x2: v128, x3: v128): void {
  const low01 = i32x4.shuffle(x0, x1, 0, 4, 1, 5);
  const low23 = i32x4.shuffle(x2, x3, 0, 4, 1, 5);
  const high01 = i32x4.shuffle(x0, x1, 2, 6, 3, 7);
  const high23 = i32x4.shuffle(x2, x3, 2, 6, 3, 7);
  v128.store(out, i64x2.shuffle(low01, low23, 0, 2));
  v128.store(out, i64x2.shuffle(low01, low23, 1, 3), 32);
  v128.store(out, i64x2.shuffle(high01, high23, 0, 2), 64);
  v128.store(out, i64x2.shuffle(high01, high23, 1, 3), 96);
}

function clearPast(panel: usize, first: i32, depth: i32, width: i32): void {
  for (let k = 0; k < depth; k++) {
    for (let i = first; i < width; i++) f32.store(panel + (usize(k * width + i) << 2), 0);
  }
}
