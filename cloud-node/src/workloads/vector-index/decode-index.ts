import type { IndexFile } from "./index-file.ts";
import { ResidualCoder } from "./residual-coder.ts";

/** Decoded rows that are given out together: 2^20 numbers. */
const BLOCK_NUMBERS = 1 << 20;

/** Some vectors as their codes say them. */
export interface DecodedBlock {
  /** Shape (k). */
  readonly ids: Uint32Array;
  /** Shape (k): the anchor of each. */
  readonly lists: Uint32Array;
  /** Shape (k, d). */
  readonly rows: Float32Array;
}

/**
 * The vectors of an index, list by list, without those that are deleted. How far they are from what was given is
 * `IndexFile.codingError`.
 *
 * @throws {VectorIndexError} as `IndexFile.segment`
 */
export async function* decodeIndex(file: IndexFile): AsyncGenerator<DecodedBlock> {
  const { model, listOffsets, ids, codes, scales, terms } = await file.segment();
  const coder = new ResidualCoder(model);
  const { codeBytes } = coder;
  const blockRows = Math.max(1, Math.floor(BLOCK_NUMBERS / model.d));
  let list = 0;
  for (let from = 0; from < ids.length; from += blockRows) {
    const to = Math.min(ids.length, from + blockRows);
    const lists = new Uint32Array(to - from);
    for (let row = from; row < to; row++) {
      while (row >= (listOffsets[list + 1] ?? 0)) list++;
      lists[row - from] = list;
    }
    const coded = {
      codes: codes.subarray(from * codeBytes, to * codeBytes),
      ...{ scales: scales.subarray(from, to), terms: terms.subarray(from, to) },
    };
    const rows = new Float32Array((to - from) * model.d);
    coder.decode(coded, lists, rows);
    yield { ids: ids.slice(from, to), lists, rows };
  }
}
