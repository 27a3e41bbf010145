import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { GOLDEN_FILE, goldenIndex, writeGolden } from "./golden.suite.ts";
import { IndexFile } from "./index-file.ts";

test("the golden file is read as what it was made of", async () => {
  const { model, rows, facts } = goldenIndex();
  const file = await IndexFile.open(GOLDEN_FILE);
  expect(file.header).toMatchObject(facts);
  expect(await file.model()).toEqual(model);
  const { ids, codes, scales, terms, listOffsets, rerank } = await file.segment();
  const live = rows.filter(({ isDead }) => !isDead).sort((a, b) => a.list - b.list || a.id - b.id);
  expect(live.length).toBeLessThan(rows.length);
  expect([...ids]).toEqual(live.map(({ id }) => id));
  for (const [i, row] of live.entries()) {
    expect(codes.subarray(i * facts.codeBytes, (i + 1) * facts.codeBytes)).toEqual(row.code);
    expect([scales[i], terms[i], rerank?.read(i)]).toEqual([row.scale, row.term, row.rerank]);
    expect(listOffsets.findLastIndex((offset) => offset <= i)).toBe(row.list);
  }
  await file.close();
});

test("the golden file is written as it always was, byte for byte", async () => {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-golden-"));
  await writeGolden(join(folder, "again.vlc"));
  expect(await readFile(join(folder, "again.vlc"))).toEqual(await readFile(GOLDEN_FILE));
  await rm(folder, { recursive: true });
});
