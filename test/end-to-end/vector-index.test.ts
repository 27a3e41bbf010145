import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { IndexFile, openVectors } from "@lockstep/cloud-node";
import { seededRandom } from "@lockstep/sim";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LockstepProcess, runLockstep } from "./lockstep-process.ts";

const [N, D, CENTRES] = [3000, 32, 20];

let folder = "";
const at = (name: string) => join(folder, name);
const base = () => at("base.3000x32.f32");
const queries = () => at("queries.50x32.f32");

/** Rows around centres, unlike each other. */
function vectors(count: number, seed: number): Float32Array {
  const [centre, noise] = [seededRandom(7), seededRandom(seed)];
  const centres = Array.from({ length: CENTRES * D }, () => centre.gaussian());
  return Float32Array.from({ length: count * D }, (_, i) => {
    const row = Math.floor(i / D) % CENTRES;
    return (centres[row * D + (i % D)] ?? 0) + 0.4 * noise.gaussian();
  });
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-index-"));
  writeFileSync(base(), vectors(N, 1));
  writeFileSync(queries(), vectors(50, 2));
});
afterAll(() => rmSync(folder, { recursive: true }));

const index = (...args: string[]) => runLockstep("vector-index", ...args);

async function json(...args: string[]) {
  const { code, stdout, stderr } = await index(...args, "--json");
  expect(code, stderr).toBe(0);
  expect(stderr).toBe("");
  expect(stdout.trimEnd().split("\n")).toHaveLength(1);
  return JSON.parse(stdout);
}

test("vectors become an index that says what it costs, and finds what an exact search finds", async () => {
  const built = await json("build", base(), "--out", at("a.vlc"), "--m", "40", "--log", at("log.jsonl"));
  const { size } = statSync(at("a.vlc"));
  expect(built).toMatchObject({ n: N, d: D, m: 40, bytesPerVector: 16 + 4, idBytesPerVector: 4, fileBytes: size });
  expect(built.indexBytes + N * 24).toBe(size);
  const steps = readFileSync(at("log.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(Object.keys(steps[0]).toSorted()).toEqual(["changes", "energy", "iteration", "rows", "temperature"]);
  expect(steps.at(-1).energy).toBeLessThan(steps[0].energy);

  const info = await json("info", at("a.vlc"), "--plot", at("lists.svg"));
  expect(info).toMatchObject({ n: N, seed: 1, codeBytes: 16, wasteBytes: 0, balance: { lists: 40 } });
  expect(info.parts.reduce((sum: number, { bytes }: { bytes: number }) => sum + bytes, 0)).toBe(size);
  expect(info.error.relative).toBeCloseTo(built.relativeError, 9);

  const found = await json("eval", at("a.vlc"), base(), queries(), "--probes", "1,8,40", "--plot", at("recall.svg"));
  expect(found.points.map(({ probes }: { probes: number }) => probes)).toEqual([1, 8, 40]);
  const recalls = found.points.map(({ recallAt10 }: { recallAt10: number }) => recallAt10);
  expect(recalls).toEqual(recalls.toSorted());
  expect(recalls[2]).toBeGreaterThan(0.8);
  for (const { qps, p50Us, p99Us } of found.points) expect(Math.min(qps, p50Us, p99Us)).toBeGreaterThan(0);
  for (const plot of ["lists.svg", "recall.svg"]) expect(readFileSync(at(plot), "utf8")).toMatch(/<\/svg>\n$/);
});

test("the same seed gives the same file, and the short name is the same command", async () => {
  const short = await runLockstep(
    "vector-index",
    "index",
    "--emb",
    base(),
    "--d",
    `${D}`,
    "--m",
    "40",
    "--out",
    at("b.vlc"),
  );
  expect(short.code, short.stderr).toBe(0);
  expect((await index("build", base(), "--m", "40", "--out", at("c.vlc"))).code).toBe(0);
  expect(readFileSync(at("b.vlc")).equals(readFileSync(at("c.vlc")))).toBe(true);
});

test("answers are the same with any number of threads, printed, as JSON and as ids in a file", async () => {
  expect((await index("build", base(), "--out", at("a.vlc"), "--m", "40")).code).toBe(0);
  const one = await json("query", at("a.vlc"), queries(), "--k", "4", "--probes", "10");
  expect(one.answers).toHaveLength(50);
  const two = await json("query", at("a.vlc"), queries(), "--k", "4", "--probes", "10", "--threads", "2");
  expect(two.answers).toEqual(one.answers);
  const { stdout } = await index("query", at("a.vlc"), queries(), "--k", "4", "--probes", "10");
  const printed = stdout
    .trimEnd()
    .split("\n")
    .map((line) => [...line.matchAll(/(\d+):/g)].map(([, id]) => Number(id)));
  expect(printed).toEqual(one.answers.map(({ ids }: { ids: number[] }) => ids));
  await json("query", at("a.vlc"), queries(), "--k", "4", "--probes", "10", "--out", at("found.ivecs"));
  const file = await openVectors(at("found.ivecs"));
  const ids = new Float32Array(file.n * file.d);
  await file.read(0, ids);
  await file.close();
  expect([...ids]).toEqual(one.answers.flatMap((answer: { ids: number[] }) => answer.ids));
});

test("decoded vectors are as far from their originals as it says, in every form of file", async () => {
  expect((await index("build", base(), "--out", at("a.vlc"), "--code-bytes", "32")).code).toBe(0);
  const originals = vectors(N, 1);
  for (const name of ["back.npy", "back.fvecs", "back.3000x32.f32"]) {
    const { error } = await json("decode", at("a.vlc"), "--out", at(name));
    const source = await openVectors(at(name));
    expect([source.n, source.d]).toEqual([N, D]);
    const rows = new Float32Array(N * D);
    await source.read(0, rows);
    await source.close();
    const squared = rows.reduce((sum, x, i) => sum + (x - (originals[i] ?? 0)) ** 2, 0);
    expect(Math.sqrt(squared / N) / error.rms).toBeCloseTo(1, 3);
    expect(error.relative).toBeLessThan(0.02);
  }
});

test("what is added is found, what is deleted is not, and maintain gives its room back", async () => {
  expect((await index("build", base(), "--out", at("a.vlc"), "--m", "40")).code).toBe(0);
  const before = statSync(at("a.vlc")).size;
  expect(await json("add", at("a.vlc"), queries())).toMatchObject({ added: 50, firstId: N });
  const own = await json("query", at("a.vlc"), queries(), "--k", "1", "--probes", "40");
  const hits = own.answers.filter(({ ids }: { ids: number[] }, i: number) => ids[0] === N + i).length;
  expect(hits).toBeGreaterThan(45);
  expect(await json("delete", at("a.vlc"), `${N}:${N + 50}`, "0:1000")).toMatchObject({ deleted: 1050 });
  const left = await json("query", at("a.vlc"), queries(), "--k", "20", "--probes", "40");
  for (const { ids } of left.answers) for (const id of ids) expect(id >= 1000 && id < N).toBe(true);
  expect((await json("info", at("a.vlc"))).wasteBytes).toBeGreaterThan(0);
  const maintained = await json("maintain", at("a.vlc"));
  expect(maintained.removed).toBe(1050);
  expect(statSync(at("a.vlc")).size).toBeLessThan(before);
  expect(await json("info", at("a.vlc"))).toMatchObject({ n: 2000, deleted: 0, wasteBytes: 0 });
});

describe("one line and the exit code say what is wrong:", () => {
  test.each<[string, readonly string[], number, RegExp]>([
    ["no vectors", ["build", "--out", "x.vlc"], 2, /no vectors are named/],
    ["no file", ["build", "absent.npy", "--out", "x.vlc"], 1, /absent\.npy: there is no such file/],
    ["another length", ["build", "base.3000x32.f32", "--d", "16", "--out", "x.vlc"], 1, /32 numbers, and --d says 16/],
    [
      "more anchors than rows",
      ["build", "queries.50x32.f32", "--m", "51", "--out", "x.vlc"],
      1,
      /50 rows for 51 anchors/,
    ],
    [
      "a share that is none",
      ["build", "base.3000x32.f32", "--robust", "huber=2", "--out", "x.vlc"],
      2,
      /SHARE above 0/,
    ],
    ["no index", ["info", "base.3000x32.f32"], 1, /no vector index/],
    ["a folder", ["info", "."], 1, /is a folder/],
    ["a zero vector", ["build", "zero.2x2.u8", "--metric", "cosine", "--out", "x.vlc"], 1, /row 1: all of it is 0/],
    ["not a number", ["build", "nan.1x2.f32", "--out", "x.vlc"], 1, /row 0, column 1: the value is NaN/],
    ["a cut index", ["query", "cut.vlc", "queries.50x32.f32"], 1, /cut\.vlc/],
    ["no finer copies", ["query", "whole.vlc", "queries.50x32.f32", "--rerank", "20"], 2, /build it with --rerank/],
    ["more lists", ["query", "whole.vlc", "queries.50x32.f32", "--probes", "99"], 2, /more than the 40 lists/],
    ["other queries", ["query", "whole.vlc", "zero.2x2.u8"], 1, /2 numbers, and those of the index 32/],
    ["other vectors", ["eval", "whole.vlc", "queries.50x32.f32", "queries.50x32.f32"], 1, /has 50 rows/],
    ["an id that is not there", ["delete", "whole.vlc", "3000"], 1, /row 3000: there is no vector with this id/],
    ["a range that is none", ["delete", "whole.vlc", "5:5"], 2, /FROM:TO/],
    ["one file for two things", ["build", "base.3000x32.f32", "--out", "x.vlc", "--log", "x.vlc"], 2, /for two things/],
    ["a device as output", ["build", "base.3000x32.f32", "--out", "device.fvecs"], 2, /no regular file/],
    ["a device to decode to", ["decode", "whole.vlc", "--out", "device.fvecs"], 2, /no regular file/],
    ["a device to plot to", ["info", "whole.vlc", "--plot", "device.fvecs"], 2, /no regular file/],
    [
      "a device as checkpoint",
      ["build", "base.3000x32.f32", "--out", "x.vlc", "--checkpoint", "device.fvecs"],
      2,
      /no regular file/,
    ],
    ["another form", ["decode", "whole.vlc", "--out", "back.txt"], 2, /\*\.npy/],
  ])("%s", async (_, args, exit, words) => {
    if (!existsSync(at("whole.vlc"))) {
      expect((await index("build", base(), "--out", at("whole.vlc"), "--m", "40")).code).toBe(0);
      writeFileSync(at("cut.vlc"), readFileSync(at("whole.vlc")));
      truncateSync(at("cut.vlc"), 5000);
      symlinkSync(devNull, at("device.fvecs"));
      writeFileSync(at("zero.2x2.u8"), Uint8Array.of(1, 2, 0, 0));
      writeFileSync(at("nan.1x2.f32"), new Uint8Array(Float32Array.of(1, Number.NaN).buffer));
    }
    const files = args.map((word) => (/\.|^x$/.test(word) ? at(word) : word));
    const { code, stdout, stderr } = await index(...files);
    expect(stderr).toMatch(words);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect([code, stdout]).toEqual([exit, ""]);
    expect(existsSync(at("x.vlc"))).toBe(false);
  });
});

test("vectors of few numbers are built with no option but where to", async () => {
  for (const d of [1, 2, 3]) {
    writeFileSync(at(`few.100x${d}.f32`), vectors(100, d).subarray(0, 100 * d));
    expect(await json("build", at(`few.100x${d}.f32`), "--out", at("few.vlc"))).toMatchObject({ d, bytesPerVector: 6 });
  }
});

test("training keeps its state whatever lies beside the checkpoint, and leaves none in the end", async () => {
  mkdirSync(at("state.partial"));
  await json("build", base(), "--out", at("kept.vlc"), "--m", "40", "--checkpoint", at("state"));
  expect(readdirSync(folder).filter((name) => name.startsWith("state"))).toEqual(["state.partial"]);
  rmSync(at("state.partial"), { recursive: true });
});

test("Ctrl-C in the middle of a build leaves the index that was there, and nothing else", async () => {
  writeFileSync(at("large.40000x32.f32"), vectors(40_000, 3));
  expect((await index("build", base(), "--out", at("kept.vlc"), "--m", "40")).code).toBe(0);
  const before = readdirSync(folder).toSorted();
  const bytes = readFileSync(at("kept.vlc"));
  const running = new LockstepProcess(
    "vector-index",
    "build",
    at("large.40000x32.f32"),
    "--out",
    at("kept.vlc"),
    "--log",
    at("steps.jsonl"),
  );
  while (!existsSync(at("steps.jsonl")) || statSync(at("steps.jsonl")).size === 0) await new Promise(setImmediate);
  const { code, stderr } = await running.interrupted();
  expect(stderr).toMatch(/stopped at .*: nothing was written\n$/);
  expect(code).toBe(1);
  expect(readFileSync(at("kept.vlc")).equals(bytes)).toBe(true);
  expect(readdirSync(folder).toSorted()).toEqual([...before, "steps.jsonl"].toSorted());
  const file = await IndexFile.open(at("kept.vlc"));
  expect(file.facts.n).toBe(N);
  await file.close();
});
