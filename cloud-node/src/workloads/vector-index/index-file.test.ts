import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type GeneratedIndex,
  type GeneratedRow,
  type GeneratedShape,
  generatedIndex,
  writeGenerated,
} from "./generated-index.suite.ts";
import { IndexFile } from "./index-file.ts";
import { VectorIndexError } from "./vector-index-error.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-index-file-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function written(name: string, index: GeneratedIndex): Promise<string> {
  const path = join(folder, name);
  await writeGenerated(path, index);
  return path;
}

async function opened<Result>(path: string, use: (file: IndexFile) => Promise<Result>): Promise<Result> {
  const file = await IndexFile.open(path);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** What a search must find of rows: those that are not deleted, by list and id. */
function live(rows: readonly GeneratedRow[]): GeneratedRow[] {
  return rows.filter(({ isDead }) => !isDead).sort((a, b) => a.list - b.list || a.id - b.id);
}

/** Everything in a file, section by section. */
async function contents(path: string) {
  return await opened(path, async (file) => {
    const { model, rerank, ...segment } = await file.segment();
    const finer = Array.from(segment.ids, (_, position) => rerank?.read(position));
    return [file.header, model, segment, finer, await file.listSizes(), await file.codingError()];
  });
}

test.for<Omit<GeneratedShape, "seed">>([
  { d: 16, m: 1, segments: [1], deadEvery: 0 },
  { d: 7, m: 5, segments: [40], deadEvery: 0 },
  { d: 33, m: 4, segments: [20], deadEvery: 3 },
  { d: 128, m: 6, segments: [30, 1, 17], deadEvery: 4, rerank: "f16" },
  { d: 20, m: 50, segments: [10, 10], deadEvery: 1, rerank: "i8" },
])("what is written is read back, segments folded and deleted rows left out: %o", async (shape, context) => {
  const index = generatedIndex({ ...shape, seed: "file" });
  const path = await written(`${context.task.id}.vlc`, index);
  const { codeBytes } = index.facts;
  const expected = live(index.rows);
  await opened(path, async (file) => {
    expect(file.facts).toMatchObject({ ...index.facts, n: expected.length });
    const { model, listOffsets, codes, ids, scales, terms, rerank } = await file.segment();
    expect(model).toEqual(index.model);
    expect([...ids]).toEqual(expected.map(({ id }) => id));
    expect([...scales]).toEqual(expected.map(({ scale }) => scale));
    expect([...terms]).toEqual(expected.map(({ term }) => term));
    expect(Buffer.from(codes)).toEqual(Buffer.concat(expected.map(({ code }) => code)));
    expect(codes.length).toBe(expected.length * codeBytes);
    for (const [i, row] of expected.entries()) if (shape.rerank) expect(rerank?.read(i)).toEqual(row.rerank);
    const sizes = Array.from({ length: shape.m }, (_, list) => expected.filter((row) => row.list === list).length);
    expect([...(await file.listSizes())]).toEqual(sizes);
    expect(Array.from(sizes, (_, list) => (listOffsets[list + 1] ?? 0) - (listOffsets[list] ?? 0))).toEqual(sizes);
    const { length } = index.rows;
    expect(await file.codingError()).toEqual({ rms: 0.5, worst: Math.SQRT1_2, relative: length / 4 / (length * 4) });
  });
});

test.for([0, 5])(
  "a shard's lists hold what they hold in the whole index, with every %d th row deleted",
  async (deadEvery) => {
    const shape = { d: 20, m: 9, segments: deadEvery === 0 ? [60] : [60, 30], deadEvery };
    const index = generatedIndex({ ...shape, rerank: "i8", seed: "shards" });
    const path = await written(`shards-${deadEvery}.vlc`, index);
    for (const [from, to] of [
      [0, 9],
      [0, 3],
      [3, 4],
      [4, 9],
      [5, 5],
    ] as const) {
      const expected = live(index.rows).filter(({ list }) => list >= from && list < to);
      const { listOffsets, ids, codes, rerank } = await opened(path, async (file) => {
        const segment = await file.segment({ from, to });
        expect(Array.from(segment.ids, (_, i) => segment.rerank?.read(i))).toEqual(expected.map((row) => row.rerank));
        return segment;
      });
      expect(rerank?.kind).toBe("i8");
      expect([...ids]).toEqual(expected.map(({ id }) => id));
      expect(Buffer.from(codes)).toEqual(Buffer.concat(expected.map(({ code }) => code)));
      const ends = Array.from({ length: 10 }, (_, list) => expected.filter((row) => row.list < list).length);
      expect([...listOffsets]).toEqual(ends);
    }
  },
);

test("an index whose byte is damaged, whichever it is, is refused or reads the same", async () => {
  const shape = { d: 5, m: 2, segments: [5, 4], deadEvery: 4, rerank: "i8" as const };
  const whole = await written("whole.vlc", generatedIndex({ ...shape, seed: "damage" }));
  const bytes = readFileSync(whole);
  const expected = await contents(whole);
  const sections = await opened(whole, async ({ facts }) => facts.sections);
  const path = join(folder, "damaged.vlc");
  const refusedIn = new Set<string>();
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
    writeFileSync(path, damaged);
    const section = sections.find(({ offset, bytes: length }) => at >= offset && at < offset + length);
    const isPadding = section === undefined && at >= 64 && at < bytes.length - 32 * sections.length;
    const found = await contents(path).catch((error: unknown) => error);
    if (found instanceof VectorIndexError) {
      expect(isPadding).toBe(false);
      refusedIn.add(section?.tag ?? "header and table");
      continue;
    }
    // Of the finer rows those that are deleted are never read.
    expect(isPadding || section?.tag === "RERK").toBe(true);
    expect(found).toEqual(expected);
  }
  expect(refusedIn.size).toBe(1 + 5 + 8);
});

test("an index that ends too early, wherever, is refused as truncated, and one that goes on is refused, too", async () => {
  const whole = await written("long.vlc", generatedIndex({ d: 5, m: 2, segments: [5], deadEvery: 0, seed: "cut" }));
  const bytes = readFileSync(whole);
  const path = join(folder, "cut.vlc");
  for (let length = 0; length < bytes.length; length++) {
    writeFileSync(path, bytes.subarray(0, length));
    await expect(IndexFile.open(path)).rejects.toMatchObject({ code: length < 4 ? "not-an-index" : "truncated" });
  }
  writeFileSync(path, Buffer.concat([bytes, Buffer.of(0)]));
  await expect(IndexFile.open(path)).rejects.toMatchObject({ code: "bad-index" });
});

test.for([
  ["nothing", Buffer.alloc(0), "not-an-index"],
  ["another file", Buffer.alloc(4096, "VLC"), "not-an-index"],
  ["a later version", Buffer.concat([Buffer.from("VLC1\u0002\0", "latin1"), Buffer.alloc(58)]), "unknown-version"],
] as const)("%s is no index", async ([name, bytes, code]) => {
  const path = join(folder, `${name}.vlc`);
  writeFileSync(path, bytes);
  await expect(IndexFile.open(path)).rejects.toMatchObject({ code, place: { file: path } });
});

test("a file that is not there, and a folder, are named", async () => {
  const missing = join(folder, "missing.vlc");
  await expect(IndexFile.open(missing)).rejects.toMatchObject({ code: "no-file", place: { file: missing } });
  await expect(IndexFile.open(folder)).rejects.toMatchObject({ code: "unreadable", place: { file: folder } });
});
