import { VectorIndexError } from "./vector-index-error.ts";

/** How the numbers of vectors are stored. */
export type VectorType = "f32" | "f16" | "u8" | "i8" | "i32";

/** Vectors that are read a block of rows at a time, from wherever they are, as often as needed. */
export interface VectorSource {
  /** What to call it in a message: a path, mostly. */
  readonly name: string;
  /** Rows, ≥ 1. */
  readonly n: number;
  /** Numbers in a row, ≥ 1. */
  readonly d: number;
  readonly dtype: VectorType;
  /**
   * Read whole rows from `row` on.
   *
   * @param row  0 … n
   * @param out  caller-owned, shape (k, d); its first rows are overwritten, all of them finite
   * @returns rows read: k, or all that are left
   * @throws {VectorIndexError} `not-finite` or `too-large` with row and column, `truncated` where the file has become
   *   shorter
   */
  read(row: number, out: Float32Array): Promise<number>;
  close(): Promise<void>;
}

/**
 * Vectors that are in memory.
 *
 * @param values  shape (n, d); not copied, and not to be changed while the source is in use
 * @throws {VectorIndexError} `bad-shape` unless it is whole rows, one at least
 */
export function sourceOfArray(values: Float32Array, d: number, name = "the vectors"): VectorSource {
  if (!Number.isInteger(d) || d < 1 || values.length === 0 || values.length % d !== 0) {
    const problem = `${values.length} numbers are no whole rows of ${d}`;
    throw new VectorIndexError("bad-shape", problem, "give at least one row, and all of each", { file: name });
  }
  const n = values.length / d;
  return {
    name,
    n,
    d,
    dtype: "f32",
    read: async (row, out) => {
      const rows = Math.min(Math.floor(out.length / d), n - row);
      const block = values.subarray(row * d, (row + rows) * d);
      checkFinite(block, d, row, name);
      out.set(block);
      return rows;
    },
    close: async () => {},
  };
}

/** Beyond this squares of 65,535 differences add up to more than a float32 holds. */
export const LARGEST_VALUE = 1e16;

/**
 * Refuse numbers that no distance can be taken of.
 *
 * @param block  shape (k, d)
 * @param firstRow  the number of its first row
 * @throws {VectorIndexError} `not-finite` or `too-large`, with row and column of the first
 */
export function checkFinite(block: Float32Array, d: number, firstRow: number, name: string): void {
  let at = 0;
  // A loop, as it is run over every number there is; NaN is not smaller than anything.
  while (at < block.length && Math.abs(block[at] ?? 0) <= LARGEST_VALUE) at++;
  if (at === block.length) return;
  const place = { file: name, row: firstRow + Math.floor(at / d), column: at % d };
  const remedy = "take the row out, or mend it";
  if (!Number.isFinite(block[at])) throw new VectorIndexError("not-finite", `the value is ${block[at]}`, remedy, place);
  throw new VectorIndexError(
    "too-large",
    `${block[at]?.toExponential(3)} is beyond ${LARGEST_VALUE.toExponential()}`,
    "scale all vectors down",
    place,
  );
}
