import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BenchOptions, isMet } from "./bench.ts";
import { benchCodec } from "./codec.ts";
import { boundsOf, type Cell } from "./codec-cell.ts";
import { BEST, bestPeer, ratiosTo } from "./codec-comparison.ts";
import { codecGoals } from "./codec-goals.ts";
import { VARIANTS } from "./codec-ours.ts";
import { measureCells } from "./codec-threads.ts";
import { toMarkdown } from "./report.ts";
import { geometricMean } from "./statistics.ts";
import { listSets } from "./telemetry-sets.ts";

const ROWS = 300;
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-codec-bench-"));
  const rows = Array.from({ length: ROWS }, (_, t) => `${Math.sin(t / 9).toFixed(6)},${(t * 37) % 11},5`);
  await writeFile(join(folder, "waves.csv"), rows.join("\n"));
  await writeFile(join(folder, "one.csv"), "3\n");
});

afterAll(() => rm(folder, { recursive: true }));

const options = (more: Partial<BenchOptions> = {}): BenchOptions => {
  return { dataFolder: folder, rels: [0.1], frameSamples: undefined, ...more };
};

const ignore = () => undefined;

/** What the JSON promises to those who read it. */
interface CodecJson {
  readonly cells: readonly {
    readonly set: string;
    readonly rel: number;
    readonly channels: number;
    readonly samples: number;
    readonly bitsPerSample: number;
    readonly maxErrorOverEps: number;
    readonly stateBytes: number;
    readonly peers: Readonly<Record<string, number>>;
  }[];
  readonly geomean: Readonly<Record<string, number>>;
  readonly encodeNsPerChannelSample: number;
}

test("every recording and bound is a cell, with ours and every peer within the bound", async () => {
  const report = await benchCodec(options({ rels: [0.1, 0.01] }), ignore);
  const { cells, geomean, encodeNsPerChannelSample } = report.json as CodecJson;
  expect(cells.map(({ set, rel }) => `${set} ${rel}`)).toEqual(["one 0.1", "one 0.01", "waves 0.1", "waves 0.01"]);
  expect(cells[2]).toMatchObject({ channels: 3, samples: ROWS });
  for (const cell of cells) {
    expect(cell.maxErrorOverEps).toBeLessThanOrEqual(1);
    expect(cell.bitsPerSample).toBeGreaterThan(0);
    expect(cell.stateBytes).toBeGreaterThan(0);
    expect(Object.keys(cell.peers)).toEqual(
      expect.arrayContaining(["zstd", "gzip", "brotli", "sprintz", "deadband", "pla"]),
    );
  }
  expect(geomean.zstd).toBeCloseTo(geometricMean(cells.map((cell) => (cell.peers.zstd ?? 0) / cell.bitsPerSample)));
  expect(encodeNsPerChannelSample).toBeGreaterThanOrEqual(0);
  expect(report.goals?.every(isMet)).toBe(true);
});

test("frames of one length restrict ours and the lines cut at a frame to it", async () => {
  const report = await benchCodec(options({ frameSamples: 50 }), ignore);
  const json = report.json as { cells: readonly { runs: readonly { frames: number }[]; peers: object }[] };
  expect(json.cells.flatMap(({ runs }) => runs.map(({ frames }) => frames))).toEqual(
    new Array(2 * VARIANTS.length).fill(50),
  );
  expect(Object.keys(json.cells[0]?.peers ?? {})).toContain("pla 50");
});

test("a bound that conversion alone would break is refused before anything is measured", async () => {
  await expect(benchCodec(options({ rels: [1e-12] }), ignore)).rejects.toMatchObject({ code: "bound-too-fine" });
});

test("an interrupt stops the threads and keeps nothing", async () => {
  const sets = await listSets(folder);
  const controller = new AbortController();
  const jobs = sets.map((set) => ({ set, rel: 0.1, frames: [100] }));
  const onCell = () => controller.abort();
  await expect(measureCells(jobs, { threads: 1, signal: controller.signal, onCell })).rejects.toMatchObject({
    code: "stopped",
  });
});

test("a channel that never changes gets a bound of its own", () => {
  const ranges = [
    { min: -1, max: 3 },
    { min: -8, max: -8 },
    { min: 0, max: 0 },
  ];
  expect(boundsOf({ ranges }, 0.5)).toEqual([2, 4, 0.5]);
});

test("the best peer is chosen from its class, and ratios are peer over ours", () => {
  const cells = [
    cell("a", 2, { level: [1, false], line: [0.5, true] }),
    cell("b", 1, { level: [4, false], line: [8, true] }),
  ];
  expect(cells.map((each) => bestPeer(each, "all").peer)).toEqual(["line", "level"]);
  expect(cells.map((each) => bestPeer(each, "without lookahead").peer)).toEqual(["level", "level"]);
  const ours = { variant: VARIANTS[0].name, frames: 100 };
  expect(ratiosTo(cells, "line", ours).values).toEqual([0.25, 8]);
  expect(ratiosTo(cells, BEST.all, ours).values).toEqual([0.25, 4]);
  expect(ratiosTo(cells, BEST["without lookahead"], ours).values).toEqual([0.5, 4]);
  expect(ratiosTo(cells, "nobody", ours)).toEqual({ values: [], of: 2 });
});

test("an error of ours beyond eps fails the command, and so does one of a peer", () => {
  const good = cell("a", 1, { level: [1, false] });
  const [ours] = good.ours;
  const bad = { ...good, ours: ours === undefined ? [] : [{ ...ours, maxErrorOverEps: 1.0000001 }] };
  const peers = { level: { bitsPerSample: 1, maxErrorOverEps: 1.5, setting: "", hasLookahead: false } };
  const isAllMet = (one: Cell) => codecGoals([one], () => 100).every(isMet);
  expect([good, bad, { ...good, peers }].map(isAllMet)).toEqual([true, false, false]);
});

test("a figure that is only aimed at fails nothing, and is shown as missed", () => {
  const goal = { what: "a peer", measured: 1.8, unit: "x", aimedAt: { atLeast: 2 } };
  expect(isMet(goal)).toBe(true);
  const about = { command: "bench", machine: "one", date: "today" };
  const page = toMarkdown({ title: "t", columns: ["a"], rows: [], notes: [], goals: [goal] }, about);
  expect(page).toContain("| a peer | 1.8 x |  | >= 2 x | **missed** |");
});

/** A cell with one run of ours, and peers by name: bits, and whether they look ahead. */
function cell(set: string, bits: number, peers: Readonly<Record<string, readonly [number, boolean]>>): Cell {
  const run = { bitsPerSample: bits, countedBitsPerSample: bits, quietFrames: 0, maxErrorOverEps: 1, encodeNs: 1 };
  const results = Object.entries(peers).map(([name, [bitsPerSample, hasLookahead]]) => {
    return [name, { bitsPerSample, hasLookahead, maxErrorOverEps: 1, setting: "" }];
  });
  return {
    ...{ set, rel: 0.1, channels: 1, samples: 10, stateBytes: 1, keyed: [], greedy: undefined },
    ours: [{ variant: VARIANTS[0].name, frames: 100, ...run }],
    peers: Object.fromEntries(results),
  };
}
