import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildIndex } from "./build-index.ts";
import { addVectors, deleteVectors } from "./change-index.ts";
import { clusteredRows } from "./clustered-vectors.suite.ts";
import { decodeIndex } from "./decode-index.ts";
import { IndexFile } from "./index-file.ts";
import { maintainIndex } from "./maintain-index.ts";
import { sourceOfArray, type VectorSource } from "./vector-source.ts";

const D = 20;
const VALUES = clusteredRows({ n: 400, d: D, clusters: 9, seed: 4 });
let folder = "";
let path = "";
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-change-index-"));
  path = join(folder, "a.vlc");
  await buildIndex(rows(0, 250), path, { codeBytes: 12, metric: "l2", seed: 1 });
});
afterEach(() => rmSync(folder, { recursive: true }));

function rows(from: number, to: number) {
  return sourceOfArray(VALUES.subarray(from * D, to * D), D);
}

/** A source that must not be asked for any row. */
function unread(source: VectorSource): VectorSource {
  return { ...source, read: () => Promise.reject(new RangeError("a row was read")) };
}

async function opened<Result>(use: (file: IndexFile) => Promise<Result>): Promise<Result> {
  const file = await IndexFile.open(path);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Ids that can be found, rising, each of which decodes near to the vector that it is of. */
async function found(): Promise<number[]> {
  return await opened(async (file) => {
    const ids: number[] = [];
    const { worst = 0 } = (await file.codingError()) ?? {};
    for await (const block of decodeIndex(file)) {
      for (const [i, id] of block.ids.entries()) {
        ids.push(id);
        let error = 0;
        for (let j = 0; j < D; j++) error += ((block.rows[i * D + j] ?? 0) - (VALUES[id * D + j] ?? 0)) ** 2;
        expect(Math.sqrt(error)).toBeLessThan(worst + 0.02);
      }
    }
    return ids.sort((a, b) => a - b);
  });
}

function numbers(from: number, to: number, without: readonly number[] = []): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i).filter((id) => !without.includes(id));
}

test("vectors are added behind those that are there, and deleted ones are not found", async () => {
  expect(await addVectors(path, rows(250, 251))).toEqual({ firstId: 250, added: 1 });
  expect(await addVectors(path, rows(251, 400))).toEqual({ firstId: 251, added: 149 });
  expect(await found()).toEqual(numbers(0, 400));
  const gone = [0, 17, 250, 251, 399];
  expect(await deleteVectors(path, Uint32Array.from([...gone, 17]))).toEqual({ deleted: 5 });
  expect(await found()).toEqual(numbers(0, 400, gone));
  expect(await deleteVectors(path, Uint32Array.of(1))).toEqual({ deleted: 1 });
  expect(await found()).toEqual(numbers(0, 400, [...gone, 1]));
  const facts = await opened(async (file) => file.facts);
  expect(facts).toMatchObject({ n: 394, deleted: 6, nextId: 400 });
  expect(facts.segments).toEqual([
    { rows: 250, deleted: 3 },
    { rows: 1, deleted: 1 },
    { rows: 149, deleted: 2 },
  ]);
  expect(readdirSync(folder)).toEqual(["a.vlc"]);
});

test("an id is never given twice, also when the last one was deleted", async () => {
  await deleteVectors(path, Uint32Array.from(numbers(0, 250)));
  expect(await found()).toEqual([]);
  expect(await addVectors(path, rows(250, 260))).toEqual({ firstId: 250, added: 10 });
  expect(await found()).toEqual(numbers(250, 260));
});

test("codes of added vectors are those that a build would have given them", async () => {
  const codes = async () =>
    await opened(async (file) => {
      const { ids, codes: all, listOffsets } = await file.segment();
      const { codeBytes } = file.facts;
      return new Map(
        Array.from(ids, (id, i) => {
          const list = listOffsets.findLastIndex((offset) => offset <= i);
          return [
            id,
            `${list} ${Buffer.from(all.subarray(i * codeBytes, (i + 1) * codeBytes)).toString("hex")}`,
          ] as const;
        }),
      );
    });
  const built = await codes();
  await addVectors(path, rows(0, 250));
  const both = await codes();
  for (let id = 0; id < 250; id++) {
    // Of anchors that are as near a row may have another.
    if (both.get(250 + id)?.split(" ")[0] === built.get(id)?.split(" ")[0])
      expect(both.get(250 + id)).toBe(built.get(id));
  }
  const moved = numbers(0, 250).filter((id) => both.get(250 + id) !== built.get(id));
  expect(moved.length).toBeLessThan(25);
});

test.for([
  [[250], 250],
  [[3, 4, 2 ** 32 - 1], 2 ** 32 - 1],
  [[5, 7], 7],
] as const)("ids %o are refused by the one that is not there, and none of them is deleted", async ([ids, missing]) => {
  await deleteVectors(path, Uint32Array.of(7));
  const before = readFileSync(path);
  const deleting = deleteVectors(path, Uint32Array.from(ids));
  await expect(deleting).rejects.toMatchObject({ code: "no-such-row", place: { file: path, row: missing } });
  expect(readFileSync(path)).toEqual(before);
  expect(await deleteVectors(path, new Uint32Array(0))).toEqual({ deleted: 0 });
});

test("vectors of another number of dimensions are refused", async () => {
  const other = sourceOfArray(VALUES.subarray(0, 32), 16, "b.npy");
  const adding = addVectors(path, other);
  await expect(adding).rejects.toMatchObject({ code: "bad-shape", place: { file: "b.npy" } });
});

test("while an index is changed every other change of it is refused before its work, and the first one is made", async () => {
  const source = rows(250, 300);
  const others = [
    () => addVectors(path, unread(rows(300, 310))),
    () => deleteVectors(path, Uint32Array.of(3)),
    () => maintainIndex(path),
    () => buildIndex(unread(rows(0, 250)), path, { codeBytes: 12, metric: "l2", seed: 1 }),
  ];
  let refused = 0;
  const slow = {
    ...source,
    read: async (row: number, out: Float32Array) => {
      for (const other of others.splice(0)) {
        const busy = { code: "busy", message: expect.stringContaining(`${path}.lock`) };
        await expect(other()).rejects.toMatchObject(busy);
        refused++;
      }
      return await source.read(row, out);
    },
  };
  expect(await addVectors(path, slow)).toEqual({ firstId: 250, added: 50 });
  expect(refused).toBe(4);
  expect(await found()).toEqual(numbers(0, 300));
  expect(readdirSync(folder)).toEqual(["a.vlc"]);
});

test("of changes begun at once as many are in the index as were said to be made", async () => {
  let n = 250;
  for (let round = 0; round < 5; round++) {
    const adding = Array.from({ length: 6 }, () => addVectors(path, rows(250, 251)));
    const ended = await Promise.allSettled(adding);
    n += ended.filter(({ status }) => status === "fulfilled").length;
    expect((await opened(async (file) => file.facts)).n).toBe(n);
  }
  expect(n).toBeGreaterThanOrEqual(255);
});

test("a lock that a killed process left is in nobody's way, and an index that is not there gets none", async () => {
  writeFileSync(`${path}.lock`, `${spawnSync(process.execPath, ["--version"]).pid}\n`);
  expect(await deleteVectors(path, Uint32Array.of(3))).toEqual({ deleted: 1 });
  for (const none of [join(folder, "b.vlc"), join(folder, "none", "b.vlc")]) {
    await expect(deleteVectors(none, Uint32Array.of(3))).rejects.toMatchObject({ code: "no-file" });
  }
  expect(readdirSync(folder)).toEqual(["a.vlc"]);
});

test("an addition that fails or is aborted leaves the index as it was", async () => {
  const before = readFileSync(path);
  const source = rows(250, 300);
  const read = async () => {
    throw new RangeError("the disk is gone");
  };
  await expect(addVectors(path, { ...source, read })).rejects.toThrow("the disk is gone");
  const signal = AbortSignal.abort(new RangeError("enough"));
  await expect(addVectors(path, source, { signal })).rejects.toThrow("enough");
  expect(readFileSync(path)).toEqual(before);
  expect(readdirSync(folder)).toEqual(["a.vlc"]);
});
