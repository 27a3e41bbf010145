/**
 * The register tiles of every matrix product: TILE_ROWS rows by 8 or 16 columns of C in vectors, over panels of A and B.
 *
 *   A  at step k: TILE_ROWS rows side by side, then aStep bytes to step k + 1
 *   B  at step k: the tile's columns side by side, then bStep bytes to step k + 1
 *
 * A tile fits into the host's 15 registers: 8 columns where a register is one vector, 16 where the host makes one
 * instruction of a pair. The loops over k end with their test and are not unrolled here: so V8 unrolls them, one step after
 * the other; of steps written side by side it moves loads up, and spills. Every number of C is one chain of additions in the
 * order of k, whatever the tile.
 */
import { multiplyNarrow } from "./narrow-tile";
import { multiplyWide } from "./wide-tile";

export const WIDE_COLUMNS: i32 = 16;
export const NARROW_COLUMNS: i32 = 8;

/** Columns of a tile, and of a panel of B. */
export let tileColumns: i32 = NARROW_COLUMNS;

/** @param wide  1 where the host makes one instruction of a pair of vectors */
export function setWide(wide: i32): void {
  tileColumns = wide ? WIDE_COLUMNS : NARROW_COLUMNS;
}

/**
 * Tiles one below the other: C = A · B, plus `bias` (tileColumns) or 0, plus `base` (of the shape and stride of C, or C
 * itself) or 0.
 *
 * @param cStride  bytes from row to row of C and of the base
 * @param aPanel  bytes from tile to tile of A
 * @param depth  steps, 1 or more
 */
export function multiplyTiles(
  c: usize,
  cStride: usize,
  a: usize,
  aStep: usize,
  aPanel: usize,
  tiles: i32,
  b: usize,
  bStep: usize,
  depth: i32,
  bias: usize,
  base: usize,
): void {
  if (tileColumns == NARROW_COLUMNS) multiplyNarrow(c, cStride, a, aStep, aPanel, tiles, b, bStep, depth, bias, base);
  else multiplyWide(c, cStride, a, aStep, aPanel, tiles, b, bStep, depth, bias, base);
}
