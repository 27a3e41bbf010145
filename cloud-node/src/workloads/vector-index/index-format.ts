import { crc32 } from "node:zlib";
import type { IndexFacts, SectionPlace } from "./index-facts.ts";
import type { Metric } from "./model.ts";
import type { RerankKind } from "./search-segment.ts";

/**
 * The index file, version 1. Integers are little-endian, CRC is CRC-32 (IEEE 802.3, as of zip and PNG).
 * docs/vector-index-format.md specifies it, with what is inside the sections.
 *
 *      0  magic      4   "VLC1"
 *      4  version    2   1
 *      6  zero       2
 *      8  rows       4   of all segments, deleted ones among them
 *     12  deleted    4
 *     16  next id    4
 *     20  d          4   1 … 65535
 *     24  m          4   1 …
 *     28  metric     4   0 l2, 1 ip, 2 cosine
 *     32  code       4   bytes of a vector's code
 *     36  rerank     4   0 none, 1 i8, 2 f16
 *     40  table      8   its offset: a multiple of 16
 *     48  file       8   bytes
 *     56  sections   4   1 … 4096
 *     60  CRC        4   of the 60 bytes above, and of the table
 *
 *     table, of each section in the order of their offsets, 32 bytes:
 *      0  tag        4   four letters
 *      4  segment    4   0: of the model; 1 …: of that segment
 *      8  offset     8   a multiple of 16
 *     16  bytes      8
 *     24  CRC        4   of the section
 *     28  marked     4   of DEAD: rows that are deleted; 0 otherwise
 *
 * Sections do not overlap. Between them are zeros, and what changes left behind: no reader looks there.
 */
export const INDEX_MAGIC = 0x31434c56;
export const INDEX_VERSION = 1;
export const HEADER_BYTES = 64;
export const ENTRY_BYTES = 32;
export const ALIGNMENT = 16;
/** Segments are folded long before: every one is read by every search. */
export const MOST_SECTIONS = 4096;
export const MOST_DIMENSIONS = 65_535;

const METRICS: readonly Metric[] = ["l2", "ip", "cosine"];
const RERANKS: readonly (RerankKind | undefined)[] = [undefined, "i8", "f16"];

/** A section as its table has it. */
export interface SectionEntry extends SectionPlace {
  /** Of `DEAD`: how many rows are deleted. */
  readonly marked: number;
}

/** What header and table say. */
export interface IndexHeader extends Omit<IndexFacts, "n" | "segments" | "sections"> {
  /** Deleted ones among them. */
  readonly rows: number;
  readonly sections: readonly SectionEntry[];
}

/** Where the next section may begin. */
export function aligned(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}

/** @param tableOffset  where `table` will be: right behind the sections */
export function encodeHeader(header: IndexHeader, tableOffset: number): { header: Buffer; table: Buffer } {
  const table = Buffer.alloc(header.sections.length * ENTRY_BYTES);
  for (const [i, { tag, segment, offset, bytes, crc, marked }] of header.sections.entries()) {
    const at = i * ENTRY_BYTES;
    table.write(tag, at, 4, "latin1");
    table.writeUInt32LE(segment, at + 4);
    table.writeBigUInt64LE(BigInt(offset), at + 8);
    table.writeBigUInt64LE(BigInt(bytes), at + 16);
    table.writeUInt32LE(crc, at + 24);
    table.writeUInt32LE(marked, at + 28);
  }
  const out = Buffer.alloc(HEADER_BYTES);
  out.writeUInt32LE(INDEX_MAGIC, 0);
  out.writeUInt16LE(INDEX_VERSION, 4);
  const { rows, deleted, nextId, d, m, metric, codeBytes, rerank } = header;
  const numbers = [rows, deleted, nextId, d, m, METRICS.indexOf(metric), codeBytes, RERANKS.indexOf(rerank)];
  for (const [i, value] of numbers.entries()) out.writeUInt32LE(value, 8 + 4 * i);
  out.writeBigUInt64LE(BigInt(tableOffset), 40);
  out.writeBigUInt64LE(BigInt(header.fileBytes), 48);
  out.writeUInt32LE(header.sections.length, 56);
  out.writeUInt32LE(crc32(table, crc32(out.subarray(0, 60))), 60);
  return { header: out, table };
}

/** Where a header says that its table is: the last thing in the file. */
export function tablePlace(header: Buffer) {
  const [offset, fileBytes] = [header.readBigUInt64LE(40), header.readBigUInt64LE(48)];
  return { offset, fileBytes, sections: header.readUInt32LE(56) };
}

/**
 * What a header and its table say. Magic, version, and that the table lies in the file have been looked at.
 *
 * @returns a sentence on what is wrong, where something is
 */
export function decodeHeader(header: Buffer, table: Buffer): IndexHeader | string {
  if (crc32(table, crc32(header.subarray(0, 60))) !== header.readUInt32LE(60)) {
    return "the checksum of header and table is wrong";
  }
  const [rows, deleted, nextId, d, m, metricCode, codeBytes, rerankCode] = Array.from({ length: 8 }, (_, i) =>
    header.readUInt32LE(8 + 4 * i),
  ) as [number, number, number, number, number, number, number, number];
  const metric = METRICS[metricCode];
  if (metric === undefined) return `there is no metric ${metricCode}`;
  if (rerankCode >= RERANKS.length) return `there is no kind ${rerankCode} of vectors to rank again with`;
  if (d < 1 || d > MOST_DIMENSIONS) return `${d} dimensions are not 1 to ${MOST_DIMENSIONS}`;
  if (m < 1) return "it has no anchor";
  if (deleted > rows) return `${deleted} of ${rows} rows are deleted`;
  if (rows > nextId) return `${rows} rows have ids under ${nextId}`;
  const fileBytes = Number(header.readBigUInt64LE(48));
  const sections = Array.from({ length: table.length / ENTRY_BYTES }, (_, i) => decodeEntry(table, i * ENTRY_BYTES));
  const rerank = RERANKS[rerankCode];
  return { rows, deleted, nextId, d, m, metric, codeBytes, rerank, fileBytes, sections };
}

function decodeEntry(table: Buffer, at: number): SectionEntry {
  return {
    tag: table.toString("latin1", at, at + 4),
    segment: table.readUInt32LE(at + 4),
    offset: Number(table.readBigUInt64LE(at + 8)),
    bytes: Number(table.readBigUInt64LE(at + 16)),
    crc: table.readUInt32LE(at + 24),
    marked: table.readUInt32LE(at + 28),
  };
}
