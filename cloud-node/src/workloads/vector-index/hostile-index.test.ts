import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seededRandom } from "../../jobs/seeded-random.ts";
import { decodeIndex } from "./decode-index.ts";
import { generatedIndex, writeGenerated } from "./generated-index.suite.ts";
import { IndexFile } from "./index-file.ts";
import { decodeHeader, encodeHeader, type IndexHeader, type SectionEntry, tablePlace } from "./index-format.ts";
import { Searcher } from "./search.ts";
import { VectorIndexError } from "./vector-index-error.ts";

/** Files whose checksums are right, and whose contents are not: what a stranger may hand in. */
const SHAPE = { d: 20, m: 3, segments: [9, 5], deadEvery: 6, rerank: "i8", seed: "hostile" } as const;
let folder = "";
let whole = Buffer.alloc(0);
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-hostile-"));
  const path = join(folder, "whole.vlc");
  await writeGenerated(path, generatedIndex(SHAPE));
  whole = readFileSync(path);
});
afterAll(() => rmSync(folder, { recursive: true }));

function headerOf(bytes: Buffer): IndexHeader {
  const header = decodeHeader(bytes.subarray(0, 64), bytes.subarray(Number(tablePlace(bytes).offset)));
  if (typeof header === "string") throw new TypeError(header);
  return header;
}

/** The same file with another header and table. */
function withHeader(change: (header: IndexHeader) => Partial<IndexHeader>): string {
  const header = headerOf(whole);
  const changed = { ...header, ...change(header) };
  const start = Number(tablePlace(whole).offset);
  const fileBytes = start + 32 * changed.sections.length;
  const encoded = encodeHeader({ ...changed, fileBytes }, start);
  return file(Buffer.concat([encoded.header, whole.subarray(64, start), encoded.table]));
}

/** The same file with other bytes in a section, whose checksum is right. */
function withSection(tag: string, change: (bytes: Buffer) => void): string {
  const bytes = Buffer.from(whole);
  const header = headerOf(bytes);
  const sections = header.sections.map((section) => {
    if (section.tag !== tag) return section;
    const own = bytes.subarray(section.offset, section.offset + section.bytes);
    change(own);
    return { ...section, crc: crc32(own) };
  });
  const { header: head, table } = encodeHeader({ ...header, sections }, Number(tablePlace(bytes).offset));
  bytes.set(head);
  bytes.set(table, bytes.length - table.length);
  return file(bytes);
}

function file(bytes: Buffer): string {
  const path = join(folder, "hostile.vlc");
  writeFileSync(path, bytes);
  return path;
}

/** Change the sections of a tag. */
function sections(tag: string, change: (section: SectionEntry) => Partial<SectionEntry>) {
  return ({ sections: all }: IndexHeader) => ({
    sections: all.map((section) => (section.tag === tag ? { ...section, ...change(section) } : section)),
  });
}

test.for<[string, (header: IndexHeader) => Partial<IndexHeader>, string]>([
  ["2^32 - 1 anchors", () => ({ m: 2 ** 32 - 1 }), "ANCH"],
  ["65,535 dimensions", () => ({ d: 65_535 }), "MEAN"],
  ["2^32 - 1 rows", () => ({ rows: 2 ** 32 - 1, nextId: 2 ** 32 - 1 }), "rows"],
  ["codes of 2^32 - 1 bytes", () => ({ codeBytes: 2 ** 32 - 1 }), "CODE"],
  ["no anchor", () => ({ m: 0 }), "anchor"],
  ["no dimension", () => ({ d: 0 }), "dimensions"],
  ["65,536 dimensions", () => ({ d: 65_536 }), "dimensions"],
  ["more deleted rows than rows", () => ({ deleted: 15 }), "deleted"],
  ["another number of deleted rows", () => ({ deleted: 2 }), "deleted"],
  ["more rows than ids", () => ({ nextId: 13 }), "ids"],
  ["no finer rows, where there are some", () => ({ rerank: undefined }), "RERK"],
  ["finer rows of another kind", () => ({ rerank: "f16" }), "RERK"],
  ["a section beyond the file", sections("SIGM", ({ offset }) => ({ offset: offset + 2 ** 40 })), "SIGM"],
  ["a section longer than the file", sections("CODE", () => ({ bytes: 2 ** 53 })), "CODE"],
  ["a section in the header", sections("MODL", () => ({ offset: 0 })), "MODL"],
  ["two sections in one place", sections("MEAN", ({ offset }) => ({ offset: offset - 32 })), "MEAN"],
  ["a section off its alignment", sections("MEAN", ({ offset }) => ({ offset: offset + 4 })), "multiple of 16"],
  ["a section of no known kind", sections("DEAD", () => ({ tag: "LIVE" })), "LIVE"],
  ["a section twice", sections("SCAL", () => ({ tag: "TERM" })), "twice"],
  [
    "segments with a gap",
    ({ sections: all }) => ({ sections: all.map((s) => ({ ...s, segment: 2 * s.segment })) }),
    "missing",
  ],
  ["no segment", ({ sections: all }) => ({ sections: all.slice(0, 5) }), "segment"],
  ["a model without anchors", ({ sections: all }) => ({ sections: all.filter(({ tag }) => tag !== "ANCH") }), "ANCH"],
  ["a short bitmap", sections("DEAD", () => ({ bytes: 1 })), "DEAD"],
])("a header that claims %s is refused before a section is read", async ([, change, part]) => {
  const before = process.memoryUsage().arrayBuffers;
  await expect(IndexFile.open(withHeader(change))).rejects.toMatchObject({
    code: "bad-index",
    problem: expect.stringContaining(part),
  });
  // What is claimed is up to 2^53 bytes; what it costs is the table.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
});

test.for([
  [40, 2n ** 63n, "table"],
  [40, 2n ** 64n - 32n, "table"],
  [40, 16n, "table"],
  [48, 2n ** 60n, "truncated"],
  [56, 0n, "table"],
  [56, 2n ** 32n - 1n, "table"],
] as const)("a header with %o at byte %o is refused", async ([at, value, part]) => {
  const bytes = Buffer.from(whole);
  if (at === 56) bytes.writeUInt32LE(Number(value), at);
  else bytes.writeBigUInt64LE(value, at);
  const code = part === "truncated" ? "truncated" : "bad-index";
  await expect(IndexFile.open(file(bytes))).rejects.toMatchObject({ code });
});

test.for<[string, (section: Buffer) => void, string, string]>([
  ["MODL", (bytes) => bytes.writeUInt32LE(7, 16), "bits", "7 bits in a dimension"],
  ["MODL", (bytes) => bytes.writeUInt32LE(5, 16), "codes of 10 bytes", "more bits than a code has"],
  ["MODL", (bytes) => bytes.writeUInt32LE(5, 20), "group", "a group that ends within 16 dimensions"],
  ["MODL", (bytes) => bytes.writeUInt32LE(48, 20), "group", "a group beyond the dimensions"],
  ["MODL", (bytes) => bytes.writeUInt32LE(2 ** 32 - 1, 8), "groups", "2^32 - 1 groups"],
  ["MODL", (bytes) => bytes.writeInt32LE(4000, 4), "anchors", "anchors of 2^4000"],
  ["MEAN", (bytes) => bytes.writeFloatLE(Number.NaN, 4), "mean", "a mean that is no number"],
  ["ROTM", (bytes) => bytes.writeUInt16LE(0x7c00, 6), "rotation", "an infinite rotation"],
  ["ANCH", (bytes) => bytes.writeUInt16LE(0x7e00, 6), "anchors", "an anchor that is no number"],
  ["SIGM", (bytes) => bytes.writeFloatLE(0, 0), "sigma", "a deviation of 0"],
  ["SIGM", (bytes) => bytes.writeFloatLE(3e38, 4), "sigma", "a deviation that no vectors have"],
  ["MEAN", (bytes) => bytes.writeFloatLE(-3e38, 4), "mean", "a mean that no vectors have"],
  ["ROTM", (bytes) => bytes.writeUInt16LE(0x7bff, 6), "rotation", "a rotation that stretches"],
  ["MODL", (bytes) => bytes.writeInt32LE(127, 4), "anchors", "anchors of 2^127"],
  ["OFFS", (bytes) => bytes.writeUInt32LE(1, 0), "list 0", "lists that begin later"],
  ["OFFS", (bytes) => bytes.writeUInt32LE(2 ** 32 - 1, 4), "list 2", "a list of 2^32 - 1 rows"],
  ["OFFS", (bytes) => bytes.writeUInt32LE(3, 12), "list", "lists that end too early"],
  ["IDS ", (bytes) => bytes.writeUInt32LE(14, 0), "id 14", "an id that was never given"],
  ["SCAL", (bytes) => bytes.writeUInt16LE(0x7c00, 0), "scale", "an infinite scale"],
  ["TERM", (bytes) => bytes.writeUInt16LE(0xfe00, 0), "term", "a term that is no number"],
  ["ERRS", (bytes) => bytes.writeDoubleLE(-1, 0), "errors", "an error below 0"],
  ["DEAD", (bytes) => bytes.fill(0), "deleted", "no tombstone where there are some"],
  ["DEAD", (bytes) => bytes.fill(0xff), "deleted", "tombstones of rows that are not there"],
])("a section %s that is right by its checksum is refused: %s, %s, %s", async ([tag, change, part]) => {
  const hostile = await IndexFile.open(withSection(tag, change));
  try {
    const all = async () => [await hostile.model(), await hostile.segment(), await hostile.codingError()];
    await expect(all()).rejects.toMatchObject({ code: "bad-index", problem: expect.stringContaining(part) });
  } finally {
    await hostile.close();
  }
});

test("a section that is changed at random, and right by its checksum, is refused or searched: nothing else", async () => {
  const random = seededRandom("hostile sections");
  const queries = Float32Array.from({ length: 3 * SHAPE.d }, () => random() / 2 ** 32);
  const outcomes = { refused: 0, searched: 0 };
  for (let i = 0; i < 300; i++) {
    const tags = ["MODL", "MEAN", "ROTM", "ANCH", "SIGM", "OFFS", "IDS ", "CODE", "SCAL", "TERM", "ERRS", "DEAD"];
    const path = withSection(tags[random() % tags.length] ?? "", (bytes) => {
      for (let flips = random() % 3; flips >= 0; flips--) bytes[random() % bytes.length] = random() & 0xff;
    });
    const hostile = await IndexFile.open(path);
    try {
      const segment = await hostile.segment();
      const { ids } = new Searcher(segment).search(queries, 4, { probes: segment.model.m });
      for await (const { rows } of decodeIndex(hostile)) expect(rows.length % SHAPE.d).toBe(0);
      expect(ids).toHaveLength(12);
      outcomes.searched++;
    } catch (error) {
      expect(error).toBeInstanceOf(VectorIndexError);
      outcomes.refused++;
    } finally {
      await hostile.close();
    }
  }
  expect(Math.min(outcomes.refused, outcomes.searched)).toBeGreaterThan(50);
});
