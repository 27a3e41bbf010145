import { VectorIndexError } from "./vector-index-error.ts";
import type { VectorSource } from "./vector-source.ts";

/** Numbers of a block: few enough for memory, enough that a read costs nothing beside the work. */
const BLOCK_NUMBERS = 1 << 20;

/** Rows of a source that follow each other; `rows` is overwritten by the next block. */
export interface RowBlock {
  /** Shape (count, d). */
  readonly rows: Float32Array;
  readonly first: number;
  readonly count: number;
}

/** All rows of a source, a block at a time. @throws {VectorIndexError} `truncated` when they end too early */
export async function* readBlocks(source: VectorSource): AsyncGenerator<RowBlock> {
  const { n, d, name } = source;
  const buffer = new Float32Array(Math.min(n, Math.max(1, Math.floor(BLOCK_NUMBERS / d))) * d);
  for (let first = 0; first < n; ) {
    const count = await source.read(first, buffer);
    if (count < 1) {
      const problem = `its rows end at ${first} of ${n}`;
      throw new VectorIndexError("truncated", problem, "read it again when it is complete", { file: name });
    }
    yield { rows: buffer.subarray(0, count * d), first, count };
    first += count;
  }
}
