import type { IndexFacts } from "./index-facts.ts";
import { ALIGNMENT, ENTRY_BYTES, HEADER_BYTES } from "./index-format.ts";

/** Where the bytes of an index go. */
export interface IndexAccount {
  /** What each vector costs: its code and its side data, without its id and without a finer copy of it. */
  readonly bytesPerVector: number;
  readonly idBytesPerVector: number;
  /** Of the finer copy for ranking again; 0 where there is none. */
  readonly rerankBytesPerVector: number;
  /** What the index costs once, however many vectors are in it: rotation, anchors, lists, header. */
  readonly indexBytes: number;
  /** Rows that are deleted, and what changes left behind: `maintain` gets rid of it. */
  readonly wasteBytes: number;
  readonly parts: readonly IndexPart[];
}

/** A part of a file. */
export interface IndexPart {
  readonly name: string;
  readonly bytes: number;
}

const PARTS: readonly (readonly [name: string, tags: readonly string[]])[] = [
  ["codes", ["CODE"]],
  ["scales and terms", ["SCAL", "TERM"]],
  ["ids", ["IDS "]],
  ["finer copies", ["RERK"]],
  ["anchors", ["ANCH"]],
  ["rotation", ["ROTM"]],
  ["list offsets", ["OFFS"]],
];

/** Take a file's bytes apart by what they are for. */
export function indexAccount({ sections, n, deleted, fileBytes }: IndexFacts): IndexAccount {
  const bytesOf = (tags: readonly string[]) =>
    sections.reduce((sum, { tag, bytes }) => sum + (tags.includes(tag) ? bytes : 0), 0);
  const rows = Math.max(1, n + deleted);
  const [code, ids, rerank] = [bytesOf(["CODE", "SCAL", "TERM"]), bytesOf(["IDS "]), bytesOf(["RERK"])];
  const perRow = (code + ids + rerank) / rows;
  const table = HEADER_BYTES + sections.length * ENTRY_BYTES;
  const between = fileBytes - table - sections.reduce((sum, { bytes }) => sum + bytes, 0);
  // What aligns the sections is theirs; more than that is left of sections that were replaced.
  const abandoned = between < (sections.length + 1) * ALIGNMENT ? 0 : between;
  const parts = PARTS.map(([name, tags]) => ({ name, bytes: bytesOf(tags) }));
  const other = fileBytes - abandoned - parts.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    bytesPerVector: code / rows,
    idBytesPerVector: ids / rows,
    rerankBytesPerVector: rerank / rows,
    indexBytes: fileBytes - abandoned - perRow * rows,
    wasteBytes: abandoned + perRow * deleted,
    parts: [
      ...parts,
      { name: "header, mean, the rest", bytes: other },
      { name: "left behind", bytes: abandoned },
    ].filter(({ bytes }) => bytes > 0),
  };
}
