import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { InvariantError } from "../../invariant-error.ts";
import { generatedIndex, writeGenerated } from "./generated-index.suite.ts";
import { IndexFile } from "./index-file.ts";
import { IndexWriter } from "./index-writer.ts";

const INDEX = generatedIndex({ d: 20, m: 3, segments: [9, 5], deadEvery: 6, seed: "writer" });
let folder = "";
let path = "";
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-index-writer-"));
  path = join(folder, "a.vlc");
  await writeGenerated(path, INDEX);
});
afterEach(() => rmSync(folder, { recursive: true }));

test("an index has its name only when it is whole, and nothing else is left", async () => {
  const other = join(folder, "b.vlc");
  const writer = await IndexWriter.create(other);
  expect(readdirSync(folder).filter((name) => name.endsWith(".vlc"))).toEqual(["a.vlc"]);
  await writer.discard();
  await writeGenerated(other, INDEX);
  expect(readdirSync(folder).sort()).toEqual(["a.vlc", "b.vlc"]);
});

test("a copy keeps the sections that it is to keep, and takes more", async () => {
  const file = await IndexFile.open(path);
  const { sections, fileBytes, ...facts } = file.header;
  const kept = sections.filter(({ tag }) => tag !== "DEAD");
  const writer = await IndexWriter.extend(path, kept, fileBytes, file.state);
  await writer.put("DEAD", 1, Uint8Array.of(0b101, 0), 2);
  await writer.finish({ ...facts, deleted: 2 });
  const before = await file.segment();
  await file.close();
  const changed = await IndexFile.open(path);
  const after = await changed.segment();
  await changed.close();
  // Of segment 1 rows 0 and 2 in the order of the file; whoever had opened the file before still reads that one.
  const inOrder = INDEX.rows.filter((row, at) => row.segment === 1 || (at !== 0 && at !== 2));
  expect([...after.ids].sort()).toEqual(inOrder.map(({ id }) => id).sort());
  expect(before.ids).toHaveLength(INDEX.rows.filter(({ isDead }) => !isDead).length);
});

test("an index that somebody else changed meanwhile is not replaced", async () => {
  const file = await IndexFile.open(path);
  const { sections, fileBytes, ...facts } = file.header;
  const writer = await IndexWriter.extend(path, sections, fileBytes, file.state);
  await writeGenerated(path, INDEX);
  const theirs = readFileSync(path);
  await expect(writer.finish(facts)).rejects.toMatchObject({ code: "changed", place: { file: path } });
  await file.close();
  expect(readFileSync(path)).toEqual(theirs);
  expect(readdirSync(folder)).toEqual(["a.vlc"]);
});

test("an index of which something is missing is not written", async () => {
  const whole = readFileSync(path);
  const incomplete = await IndexWriter.create(path);
  await expect(incomplete.finish(INDEX.facts)).rejects.toBeInstanceOf(InvariantError);
  const open = await IndexWriter.create(path);
  await open.section("CODE", 1, 100).write(new Uint8Array(99));
  await expect(open.finish(INDEX.facts)).rejects.toThrow("not whole");
  expect(readFileSync(path)).toEqual(whole);
  expect(readdirSync(folder)).toEqual(["a.vlc"]);
});

test("a place where nothing can be written is named as it was given", async () => {
  const nowhere = join(folder, "none", "a.vlc");
  await expect(IndexWriter.create(nowhere)).rejects.toMatchObject({ code: "ENOENT", path: nowhere });
  writeFileSync(join(folder, "file"), "");
  const inFile = join(folder, "file", "a.vlc");
  await expect(IndexWriter.create(inFile)).rejects.toMatchObject({ code: "ENOTDIR", path: inFile });
});

test.skipIf(process.platform === "win32")("a device is not replaced by an index", async () => {
  const device = join(folder, "device.vlc");
  symlinkSync(devNull, device);
  await expect(IndexWriter.create(device)).rejects.toMatchObject({ code: "no-regular-file", place: { file: device } });
  expect(readdirSync(folder).sort()).toEqual(["a.vlc", "device.vlc"]);
});
