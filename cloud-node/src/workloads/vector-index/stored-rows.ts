import { rerankError, unpackRerank } from "./rerank-row.ts";
import type { ResidualCoder } from "./residual-coder.ts";
import type { SearchSegment } from "./search-segment.ts";

/** Vectors as an index still has them: its finer rows, or what its codes say. */
export interface StoredRows {
  /** Shape (k, d). */
  readonly rows: Float32Array;
  /** Shape (k): how far each may be from what was given, beyond what its code is off by. */
  readonly errors: Float32Array;
}

/** @param lists  shape (n): the list of each position */
export function readStored(
  segment: SearchSegment,
  coder: ResidualCoder,
  lists: Uint32Array,
  positions: Uint32Array,
): StoredRows {
  const { model, rerank, codes, scales, terms } = segment;
  const { d } = model;
  const rows = new Float32Array(positions.length * d);
  const errors = new Float32Array(positions.length);
  if (rerank !== undefined) {
    for (const [i, position] of positions.entries()) {
      const bytes = rerank.read(position);
      const row = rows.subarray(i * d, (i + 1) * d);
      unpackRerank(rerank.kind, bytes, row);
      errors[i] = rerankError(rerank.kind, bytes, row);
    }
    return { rows, errors };
  }
  const { codeBytes } = coder;
  const coded = new Uint8Array(positions.length * codeBytes);
  for (const [i, position] of positions.entries()) {
    coded.set(codes.subarray(position * codeBytes, (position + 1) * codeBytes), i * codeBytes);
  }
  const pick = (halves: Uint16Array) => Uint16Array.from(positions, (position) => halves[position] ?? 0);
  const own = Uint32Array.from(positions, (position) => lists[position] ?? 0);
  coder.decode({ codes: coded, scales: pick(scales), terms: pick(terms) }, own, rows);
  return { rows, errors };
}

/** Rows in rotated space, shape (k, D). */
export function rotateRows(
  rows: Float32Array,
  { d, paddedD: D, mean, rotation }: SearchSegment["model"],
): Float32Array {
  const k = rows.length / d;
  const out = new Float32Array(k * D);
  const x = new Float32Array(d);
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < d; j++) x[j] = (rows[i * d + j] ?? 0) - (mean[j] ?? 0);
    for (let r = 0; r < D; r++) {
      let sum = 0;
      for (let j = 0; j < d; j++) sum += (rotation[r * D + j] ?? 0) * (x[j] ?? 0);
      out[i * D + r] = sum;
    }
  }
  return out;
}
