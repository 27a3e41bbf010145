import { expect, test } from "vitest";
import { isMet } from "./bench.ts";
import type { Cell } from "./codec-cell.ts";
import { BEST, ratiosTo } from "./codec-comparison.ts";
import { ELSEWHERE } from "./codec-elsewhere.ts";
import { codecGoals, goalNotes } from "./codec-goals.ts";
import { VARIANTS } from "./codec-ours.ts";
import { toMarkdown } from "./report.ts";

const ABOUT = { command: "bench", machine: "one", date: "today" };
const RELS = [0.1, 0.01, 0.001];
/** So few that every goal is met by far. */
const OUR_BITS = 1e-4;

test("every rate goal says how many cells it covers, and all of them are met by one who needs next to nothing", () => {
  const goals = goalsOf(goalCells());
  expect(goals.filter(({ cells }) => cells !== undefined).length).toBeGreaterThanOrEqual(12);
  for (const { cells } of goals) expect(cells ?? { measured: 18, of: 18 }).toEqual({ measured: 18, of: 18 });
  expect(goals.every(isMet)).toBe(true);
  expect(goalNotes(goalCells())).toEqual([]);
});

test("a goal is missed, and says so, when a cell lacks its peer", () => {
  const cells = goalCells().map((cell, i) => (i === 4 ? { ...cell, peers: { sprintz: peer(9) } } : cell));
  const missed = goalsOf(cells).filter((goal) => !isMet(goal));
  expect(missed.map(({ what }) => what.split(" / ")[0])).toEqual([
    "zstd",
    BEST.all,
    `${BEST.all}, worst cell`,
    BEST.all,
    BEST.all,
  ]);
  for (const { cells: covered } of missed) expect(covered).toEqual({ measured: 17, of: 18 });
  const page = toMarkdown({ title: "t", columns: ["a"], rows: [], notes: [], goals: missed.slice(0, 1) }, ABOUT);
  expect(page).toMatch(/^\| zstd \/ ours .*, only 17 of 18 cells \| .* \| \*\*missed\*\* \|$/m);
});

test("figures of another recording of the same name are no figures of this one, and their goals are missed", () => {
  const cells = goalCells().map((cell) => (cell.set === "power_home" ? { ...cell, samples: 5 } : cell));
  const missed = goalsOf(cells).filter((goal) => !isMet(goal));
  expect(missed.length).toBeGreaterThanOrEqual(7);
  for (const { cells: covered } of missed) expect(covered).toEqual({ measured: 15, of: 18 });
});

test("a peer that no cell has is a goal missed, not one that is met by nothing", () => {
  const cells = goalCells().map((cell) => ({ ...cell, samples: 5 }));
  const best = goalsOf(cells).filter(({ what }) => what.startsWith(BEST.all));
  expect(best.length).toBe(4);
  for (const goal of best) {
    expect(goal.cells).toEqual({ measured: 0, of: 18 });
    expect(isMet(goal)).toBe(false);
  }
});

test("a row that fails nothing is missed all the same when a cell lacks its peer", () => {
  const cells = goalCells().map((cell, i) => (i === 4 ? { ...cell, peers: { zstd: peer(9) } } : cell));
  const goals = goalsOf(cells).filter(({ what }) => what.startsWith("sprintz / ours"));
  const page = toMarkdown({ title: "t", columns: ["a"], rows: [], notes: [], goals }, ABOUT);
  expect(page).toMatch(/^\| sprintz \/ ours .*only 17 of 18 cells \| .* \| \*\*missed\*\* \|$/m);
});

test("goals of rates are for all cells together; a bound given twice does not stand for one that is missing", () => {
  const twice = goalCells().map((cell) => (cell.rel === 0.001 ? { ...cell, rel: 0.01 } : cell));
  expect(twice.length).toBe(18);
  expect(goalsOf(twice).filter(({ cells }) => cells !== undefined)).toEqual([]);
  expect(goalNotes(twice)).toEqual([expect.stringMatching(/not judged: this run has 12 of their 18 cells/)]);
  const short = goalCells().map((cell) => ({ ...cell, ours: cell.ours.filter(({ frames }) => frames === 100) }));
  expect(goalNotes(short)).toEqual([expect.stringMatching(/frames of 1000 are not judged/)]);
});

test("ratios say of how many cells they are", () => {
  const [first, ...others] = goalCells();
  const cells = first === undefined ? [] : [{ ...first, peers: {} }, ...others];
  const ours = { variant: VARIANTS[0].name, frames: 100 };
  expect(ratiosTo(cells, "zstd", ours)).toEqual({ values: new Array(17).fill(9 / OUR_BITS), of: 18 });
});

function goalsOf(cells: readonly Cell[]) {
  return codecGoals(cells, () => 100);
}

/** What the goals are set for: every recording that was measured elsewhere, at each bound. */
function goalCells(): Cell[] {
  const run = {
    bitsPerSample: OUR_BITS,
    countedBitsPerSample: OUR_BITS,
    quietFrames: 0,
    maxErrorOverEps: 1,
    encodeNs: 1,
  };
  return Object.entries(ELSEWHERE).flatMap(([set, { samples }]) =>
    RELS.map((rel) => ({
      ...{ set, rel, channels: 1, samples, stateBytes: 1, keyed: [], greedy: undefined },
      ours: VARIANTS.flatMap(({ name }) => [100, 1000].map((frames) => ({ variant: name, frames, ...run }))),
      peers: { zstd: peer(9), sprintz: peer(9) },
    })),
  );
}

function peer(bitsPerSample: number) {
  return { bitsPerSample, maxErrorOverEps: 1, setting: "", hasLookahead: false };
}
