import type { CodedRows } from "./coded-rows.ts";

/** Which rows of a segment belong to which list, and which of them are deleted. */
export interface SegmentLists {
  /** Shape (m + 1): rows [listOffsets[j], listOffsets[j + 1]) of the segment belong to anchor j. */
  readonly listOffsets: Uint32Array;
  /** A bit for every row, the lowest of a byte first: 1 is deleted. Absent when none is. */
  readonly dead: Uint8Array | undefined;
}

/** Some rows of a segment that follow each other, deleted ones among them. */
export interface SegmentRows extends SegmentLists, CodedRows {
  /** Number in the segment of the first of these. */
  readonly first: number;
  readonly ids: Uint32Array;
}

/** Squared distances of rows when they were encoded, deleted ones among them. */
export interface ErrorSums {
  /** Of vectors from what their codes say, together. */
  readonly squared: number;
  /** Of vectors from the mean vector, together. */
  readonly spread: number;
  /** The largest of the first kind. */
  readonly worst: number;
  /** Of how many rows. */
  readonly rows: number;
}

export function isMarked(bits: Uint8Array | undefined, row: number): boolean {
  return bits !== undefined && ((bits[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
}

export function mark(bits: Uint8Array, row: number): void {
  bits[row >> 3] = (bits[row >> 3] ?? 0) | (1 << (row & 7));
}

/** @returns a sentence on what is wrong with the lists of a segment, if anything is */
export function listsProblem({ listOffsets, dead }: SegmentLists, rows: number, marked: number): string | undefined {
  let end = 0;
  for (const [list, offset] of listOffsets.entries()) {
    if (offset < end || (list === 0 && offset !== 0)) return `list ${list} begins at row ${offset}, behind row ${end}`;
    end = offset;
  }
  if (end !== rows) return `lists end at row ${end} of ${rows}`;
  if (dead === undefined) return undefined;
  let found = 0;
  for (let row = 0; row < 8 * dead.length; row++) if (isMarked(dead, row)) found += row < rows ? 1 : Number.NaN;
  return found === marked ? undefined : `${found} rows are marked as deleted, and not ${marked}`;
}

/** @returns a sentence on what is wrong with rows, if anything is */
export function rowsProblem({ ids, scales, terms }: SegmentRows, nextId: number): string | undefined {
  for (const id of ids) if (id >= nextId) return `there is an id ${id}, and the next one is ${nextId}`;
  for (const halves of [scales, terms]) {
    // All exponent bits set: an infinity, or no number.
    for (const half of halves) if ((half & 0x7c00) === 0x7c00) return "a scale or a term is no finite number";
  }
  return undefined;
}
