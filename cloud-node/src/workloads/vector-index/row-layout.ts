import { MOST_DIMENSIONS } from "./index-format.ts";
import { VectorIndexError } from "./vector-index-error.ts";
import type { VectorType } from "./vector-source.ts";
import { TYPE_BYTES } from "./vector-type.ts";

/** Where the numbers of vectors lie in a file: rows one after the other, each perhaps with its length before it. */
export interface RowLayout {
  readonly n: number;
  readonly d: number;
  readonly dtype: VectorType;
  /** Offset of the first row, its length included. */
  readonly start: number;
  /** 4 where every row begins with its d as an i32, else 0. */
  readonly headBytes: 0 | 4;
}

/** Row numbers are u32 in an index. */
export const MOST_ROWS = 2 ** 32 - 1;

/** Bytes from row to row. */
export function strideOf({ d, dtype, headBytes }: Pick<RowLayout, "d" | "dtype" | "headBytes">): number {
  return headBytes + d * TYPE_BYTES[dtype];
}

/**
 * Rows that fill a file from `start` to its end.
 *
 * @param size  of the file
 * @throws {VectorIndexError} `bad-shape` for none or too many, `truncated` for a part of one
 */
export function rowsToEnd(layout: Omit<RowLayout, "n">, size: number, file: string): RowLayout {
  const { d, start } = layout;
  const stride = strideOf(layout);
  const n = Math.floor((size - start) / stride);
  if (n < 1 && size === start)
    throw new VectorIndexError("bad-shape", "there is no vector", "give at least one", { file });
  if (start + n * stride !== size) {
    const problem = `${size - start} bytes are no whole rows of ${d} ${layout.dtype}, ${stride} bytes each`;
    throw new VectorIndexError("truncated", problem, "copy the file again, or check d and the type", { file });
  }
  return checkShape({ ...layout, n }, file);
}

/** @throws {VectorIndexError} `bad-shape`, `too-large` */
export function checkShape(layout: RowLayout, file: string): RowLayout {
  const { n, d } = layout;
  if (n < 1 || d < 1) {
    throw new VectorIndexError("bad-shape", `the shape is (${n}, ${d})`, "give at least one number", { file });
  }
  if (d > MOST_DIMENSIONS) {
    throw new VectorIndexError("too-large", `${d} dimensions are over ${MOST_DIMENSIONS}`, "check the file", { file });
  }
  if (n > MOST_ROWS)
    throw new VectorIndexError("too-large", `${n} rows are over ${MOST_ROWS}`, "split the file", { file });
  return layout;
}
