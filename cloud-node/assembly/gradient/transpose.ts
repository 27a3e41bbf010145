/** Tile by tile, so that both sides stay in the cache. */
const TILE: i32 = 32;

/** Turn a matrix the other way round. @param from  (rows, columns), i16 @param to  (columns, rows) */
export function transposeCodes(from: usize, rows: i32, columns: i32, to: usize): void {
  for (let r0 = 0; r0 < rows; r0 += TILE) {
    const r1 = min(r0 + TILE, rows);
    for (let c0 = 0; c0 < columns; c0 += TILE) {
      const c1 = min(c0 + TILE, columns);
      for (let c = c0; c < c1; c++) {
        for (let r = r0; r < r1; r++) {
          store<u16>(to + ((<usize>(c * rows + r)) << 1), load<u16>(from + ((<usize>(r * columns + c)) << 1)));
        }
      }
    }
  }
}
