import type { CodedRows } from "./coded-rows.ts";
import { isMarked, type SegmentRows } from "./segment-rows.ts";

/** Rows of several segments as one. */
export interface FoldedRows extends CodedRows {
  /** Shape (m + 1). */
  readonly listOffsets: Uint32Array;
  readonly ids: Uint32Array;
  /** Shape (n): where each row is from, its number when the rows of all segments are counted through. */
  readonly origins: Uint32Array;
}

/**
 * Put the rows of several segments list by list behind each other, those that are deleted left out: in a list the rows
 * of an earlier segment come first, so that ids still rise.
 *
 * @param parts  of every segment the rows of the same lists [from, to)
 * @param rowsBefore  how many rows the segments before each one have
 */
export function foldSegments(
  parts: readonly SegmentRows[],
  rowsBefore: readonly number[],
  { from, to }: { readonly from: number; readonly to: number },
  codeBytes: number,
): FoldedRows {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && only.dead === undefined) return asTheyAre(only);
  const { listOffsets, runs, n } = liveRuns(parts, from, to);
  const codes = new Uint8Array(n * codeBytes);
  const [scales, terms] = [new Uint16Array(n), new Uint16Array(n)];
  const [ids, origins] = [new Uint32Array(n), new Uint32Array(n)];
  let at = 0;
  for (const { part, row, end } of runs) {
    const own = parts[part] as SegmentRows;
    const [first, last] = [row - own.first, end - own.first];
    codes.set(own.codes.subarray(first * codeBytes, last * codeBytes), at * codeBytes);
    scales.set(own.scales.subarray(first, last), at);
    terms.set(own.terms.subarray(first, last), at);
    ids.set(own.ids.subarray(first, last), at);
    for (let i = row; i < end; i++) origins[at++] = (rowsBefore[part] ?? 0) + i;
  }
  return { listOffsets, codes, scales, terms, ids, origins };
}

/** One segment of which nothing is deleted is not copied. */
function asTheyAre({ listOffsets, first, ids, codes, scales, terms }: SegmentRows): FoldedRows {
  const offsets = listOffsets.map((offset) => Math.min(Math.max(offset - first, 0), ids.length));
  const origins = Uint32Array.from(ids, (_, row) => first + row);
  return { listOffsets: offsets, ids, codes, scales, terms, origins };
}

/** Rows [row, end) of a segment that are not deleted. */
interface Run {
  readonly part: number;
  readonly row: number;
  readonly end: number;
}

function liveRuns(parts: readonly SegmentRows[], from: number, to: number) {
  const listOffsets = new Uint32Array(parts[0]?.listOffsets.length ?? 0);
  const runs: Run[] = [];
  let n = 0;
  for (let list = from; list < to; list++) {
    for (const [part, { listOffsets: own, dead }] of parts.entries()) {
      const last = own[list + 1] ?? 0;
      for (let row = own[list] ?? 0; row < last; row++) {
        if (isMarked(dead, row)) continue;
        let end = row + 1;
        while (end < last && !isMarked(dead, end)) end++;
        runs.push({ part, row, end });
        n += end - row;
        row = end;
      }
    }
    listOffsets[list + 1] = n;
  }
  return { listOffsets: listOffsets.fill(n, to + 1), runs, n };
}
