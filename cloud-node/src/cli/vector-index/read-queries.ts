import { openVectors } from "../../workloads/vector-index/open-vectors.ts";
import { VectorIndexError } from "../../workloads/vector-index/vector-index-error.ts";
import type { VectorOptions } from "../vector-index.ts";

/** Queries of a file, all of them in memory. */
export interface Queries {
  /** Shape (q, d). */
  readonly values: Float32Array;
  readonly q: number;
}

/** Numbers of queries at most: a gigabyte of float32. */
const MOST_VALUES = 2 ** 28;

/**
 * @param d  numbers in a vector of the index
 * @throws {VectorIndexError} `bad-shape` for queries of another length, `too-large`, and what `openVectors` throws
 */
export async function readQueries(path: string, d: number, { dtype }: VectorOptions): Promise<Queries> {
  const source = await openVectors(path, { dtype, ...(dtype === undefined ? {} : { d }) });
  try {
    if (source.d !== d) {
      const problem = `its rows have ${source.d} numbers, and those of the index ${d}`;
      throw new VectorIndexError("bad-shape", problem, "give queries of the same kind", { file: path });
    }
    if (source.n * d > MOST_VALUES) {
      throw new VectorIndexError("too-large", `${source.n} queries do not fit in memory`, "ask in parts", {
        file: path,
      });
    }
    const values = new Float32Array(source.n * d);
    await source.read(0, values);
    return { values, q: source.n };
  } finally {
    await source.close();
  }
}
