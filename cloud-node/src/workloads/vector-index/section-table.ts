import { aligned, HEADER_BYTES, type IndexHeader, type SectionEntry } from "./index-format.ts";
import { GROUP_DIMS, paddedDimensions } from "./model.ts";
import { rerankBytes } from "./rerank-row.ts";

/** Sections of the model, and of every segment, but for `DEAD`, which a segment may have. */
export const MODEL_TAGS = ["MODL", "MEAN", "ROTM", "ANCH", "SIGM"] as const;
export const SEGMENT_TAGS = ["OFFS", "IDS ", "CODE", "SCAL", "TERM", "ERRS"] as const;
export type ModelTag = (typeof MODEL_TAGS)[number];
export type SectionTag = ModelTag | (typeof SEGMENT_TAGS)[number] | "RERK" | "DEAD";

/** Seed, exponent of the anchors, number of groups, zero. */
export const MODEL_HEAD_BYTES = 16;
/** Bits, zero, end. */
export const GROUP_BYTES = 8;
/** Four numbers in float64. */
export const ERROR_BYTES = 32;
/** Scale, or term, of a row. */
export const HALF_BYTES = 2;
export const ID_BYTES = 4;
/** Behind every row of `RERK`: they are read one by one. */
export const CRC_BYTES = 4;

/** The sections of one segment by their tags. */
export type SegmentSections = ReadonlyMap<string, SectionEntry>;

/**
 * Sort a table by segments, and compare the length of every section with what header and table say it must be: whatever
 * is read afterwards is as long as it should be, and no longer than the file.
 *
 * @returns of the model, then of each segment; or a sentence on what is wrong
 */
export function checkTable(header: IndexHeader): SegmentSections[] | string {
  const problem = placeProblem(header);
  if (problem !== undefined) return problem;
  const segments: Map<string, SectionEntry>[] = [];
  for (const section of header.sections) {
    const { tag, segment } = section;
    // They are numbered without gaps, so that there are no more of them than sections.
    if (segment > segments.length) return `section ${tag} is of segment ${segment}, and one before it is missing`;
    if (segment === segments.length) segments.push(new Map());
    const own = segments[segment] as Map<string, SectionEntry>;
    if (own.has(tag)) return `section ${tag} of segment ${segment} is there twice`;
    own.set(tag, section);
  }
  for (const [segment, own] of segments.entries()) {
    const sized = segment === 0 ? modelSizes(header) : segmentSizes(header, own);
    const wrong = sizeProblem(own, sized);
    if (wrong !== undefined) return segment === 0 ? wrong : `segment ${segment}: ${wrong}`;
  }
  return totalProblem(header, segments) ?? segments;
}

function placeProblem({ sections, fileBytes }: IndexHeader): string | undefined {
  let end = HEADER_BYTES;
  for (const { tag, offset, bytes } of sections) {
    if (offset !== aligned(offset)) return `section ${tag} begins at byte ${offset}, which is no multiple of 16`;
    if (offset < end) return `section ${tag} at byte ${offset} overlaps what ends at byte ${end}`;
    if (bytes > fileBytes - offset) return `section ${tag} of ${bytes} bytes ends beyond the file`;
    end = offset + bytes;
  }
  return undefined;
}

/** Length of every section that must be there; a function where several are right. */
type Sizes = ReadonlyMap<string, number | ((bytes: number) => boolean)>;

function modelSizes({ d, m }: IndexHeader): Sizes {
  const D = paddedDimensions(d);
  const isGroups = (bytes: number) => {
    const groups = (bytes - MODEL_HEAD_BYTES) / GROUP_BYTES;
    return Number.isInteger(groups) && groups >= 1 && groups <= D / GROUP_DIMS;
  };
  return new Map<string, number | ((bytes: number) => boolean)>([
    ["MODL", isGroups],
    ["MEAN", 4 * d],
    ["ROTM", 2 * D * D],
    ["ANCH", 2 * m * D],
    ["SIGM", 4 * D],
  ]);
}

function segmentSizes({ d, m, codeBytes, rerank }: IndexHeader, own: SegmentSections): Sizes {
  const rows = rowsOf(own);
  const sizes = new Map<string, number>([
    ["OFFS", 4 * (m + 1)],
    ["IDS ", ID_BYTES * rows],
    ["CODE", codeBytes * rows],
    ["SCAL", HALF_BYTES * rows],
    ["TERM", HALF_BYTES * rows],
    ["ERRS", ERROR_BYTES],
  ]);
  if (rerank !== undefined) sizes.set("RERK", (rerankBytes(rerank, d) + CRC_BYTES) * rows);
  if (own.has("DEAD")) sizes.set("DEAD", Math.ceil(rows / 8));
  return sizes;
}

/** Whole rows: a remainder is found by the length of the section. */
export function rowsOf(own: SegmentSections): number {
  return Math.floor((own.get("IDS ")?.bytes ?? 0) / ID_BYTES);
}

function sizeProblem(own: SegmentSections, sizes: Sizes): string | undefined {
  for (const [tag, size] of sizes) {
    const section = own.get(tag);
    if (section === undefined) return `section ${tag} is missing`;
    const isRight = typeof size === "number" ? section.bytes === size : size(section.bytes);
    if (isRight) continue;
    return `section ${tag} has ${section.bytes} bytes${typeof size === "number" ? `, and should have ${size}` : ""}`;
  }
  const foreign = [...own.keys()].find((tag) => !sizes.has(tag));
  return foreign === undefined ? undefined : `section ${foreign} is none that this version has`;
}

function totalProblem(header: IndexHeader, [, ...segments]: readonly SegmentSections[]): string | undefined {
  if (segments.length === 0) return "it has no segment";
  let [rows, deleted] = [0, 0];
  for (const own of segments) {
    rows += rowsOf(own);
    deleted += own.get("DEAD")?.marked ?? 0;
  }
  if (rows !== header.rows) return `its segments have ${rows} rows, and its header ${header.rows}`;
  if (deleted !== header.deleted) return `${deleted} rows are marked as deleted, and ${header.deleted} in its header`;
  return undefined;
}
