import { VectorIndexError } from "./vector-index-error.ts";
import type { VectorSource } from "./vector-source.ts";

/**
 * Bring rows to length 1, in place: by then the nearest by squared distance are the nearest by cosine.
 *
 * @param block  shape (k, d), finite
 * @param firstRow  the number of its first row
 * @throws {VectorIndexError} `zero-vector` with the row that has no direction
 */
export function normalizeRows(block: Float32Array, d: number, firstRow: number, name: string): void {
  for (let from = 0; from + d <= block.length; from += d) {
    let sum = 0;
    for (let j = from; j < from + d; j++) sum += (block[j] ?? 0) ** 2;
    if (sum === 0) {
      const place = { file: name, row: firstRow + from / d };
      throw new VectorIndexError("zero-vector", "all of it is 0, so it has no cosine", "take it out", place);
    }
    const scale = 1 / Math.sqrt(sum);
    for (let j = from; j < from + d; j++) block[j] = (block[j] ?? 0) * scale;
  }
}

/** The same vectors, each brought to length 1 as it is read. Closing it closes `source`. */
export function unitSource(source: VectorSource): VectorSource {
  const { name, n, d, dtype } = source;
  return {
    name,
    n,
    d,
    dtype,
    read: async (row, out) => {
      const rows = await source.read(row, out);
      normalizeRows(out.subarray(0, rows * d), d, row, name);
      return rows;
    },
    close: () => source.close(),
  };
}
