import { expect, test } from "vitest";
import { FrameComparison } from "./compare-frames.ts";
import type { ColumnBound } from "./container-reader.ts";
import type { Column, TrajectoryFrame } from "./frame.ts";
import { Melt } from "./melt.suite.ts";

const MELT = new Melt({ atoms: 20, frames: 3, interval: 0.05, seed: 3 });
const BOUNDS = new Map<string, ColumnBound>([["x", { group: ["x"], mode: "max", eps: 0.5, decimals: 4 }]]);

/** A frame with one column changed. */
function changed(
  frame: TrajectoryFrame,
  name: string,
  change: (value: number, row: number) => number,
): TrajectoryFrame {
  const columns = frame.columns.map((column): Column => {
    if (column.name !== name || column.kind === "text") return column;
    return { ...column, values: column.values.map(change) };
  });
  const ids = columns.find((column) => column.name === "id");
  return { ...frame, columns, ids: ids?.kind === "text" ? undefined : ids?.values };
}

function compared(source: TrajectoryFrame, copy: TrajectoryFrame, bounds = BOUNDS): FrameComparison {
  const comparison = new FrameComparison();
  comparison.add(source, copy, bounds);
  return comparison;
}

function columnOf(comparison: FrameComparison, name: string) {
  return comparison.columns.find(({ column }) => column === name);
}

test("errors are told in parts of the bound, the largest and the mean", () => {
  const comparison = compared(
    MELT.frame(0),
    changed(MELT.frame(0), "x", (x, row) => x + (row === 3 ? 0.25 : 0)),
  );
  expect(comparison.holds).toBe(true);
  const x = columnOf(comparison, "x");
  expect(x).toMatchObject({ mode: "max", eps: 0.5, values: 20, broken: 0 });
  expect(x?.maxErrorOverEps).toBeCloseTo(0.5, 9);
  expect(x?.rmsErrorOverEps).toBeCloseTo(Math.sqrt(0.25 / 20), 9);
  expect(columnOf(comparison, "y")).toMatchObject({ maxErrorOverEps: null, maxError: 0, broken: 0 });
});

test("a value beyond its bound, or different where it is to be the same, is found with its place", () => {
  const frame = MELT.frame(1);
  for (const [name, change, row] of [
    ["x", (x: number, i: number) => x + (i === 7 ? 0.51 : 0), 7],
    ["x", (x: number, i: number) => (i === 2 ? Number.NaN : x), 2],
    ["vy", (v: number, i: number) => (i === 0 ? v + 1e-12 : v), 0],
    ["type", (type: number, i: number) => (i === 19 ? 9 : type), 19],
  ] as const) {
    const comparison = compared(frame, changed(frame, name, change));
    expect(comparison.holds).toBe(false);
    expect(columnOf(comparison, name)).toMatchObject({ broken: 1, firstBroken: { frame: 0, row, id: row + 1 } });
  }
});

test("the same NaN is no error, and minus zero is another value only where values are to be the same", () => {
  const odd = changed(MELT.frame(0), "x", (_, row) => (row === 0 ? Number.NaN : row === 1 ? 0 : 1));
  expect(compared(odd, odd).holds).toBe(true);
  const minus = changed(odd, "x", (x, row) => (row === 1 ? -0 : x));
  expect(compared(odd, minus).holds).toBe(true);
  expect(compared(odd, minus, new Map()).holds).toBe(false);
});

test("a mean over half the bound is found where that was promised, of all columns of a group together", () => {
  const bounds = (mode: ColumnBound["mode"], ...group: string[]) =>
    new Map(group.map((name) => [name, { group, mode, eps: 0.5, decimals: 4 }]));
  const copy = changed(MELT.frame(0), "x", (x) => x + 0.3);
  expect(compared(MELT.frame(0), copy, bounds("max", "x")).holds).toBe(true);
  expect(compared(MELT.frame(0), copy, bounds("rms", "x")).looseMeans).toEqual(["x"]);
  expect(compared(MELT.frame(0), copy, bounds("rms", "x")).holds).toBe(false);
  expect(compared(MELT.frame(0), copy, bounds("rms", "x", "y")).holds).toBe(true);
});

test("rows are found by id in any order; other atoms, columns, steps, times and boxes are told", () => {
  const frame = MELT.frame(2);
  const reversed = {
    ...frame,
    ids: frame.ids?.toReversed(),
    columns: frame.columns.map((column) =>
      column.kind === "text" ? column : { ...column, values: column.values.toReversed() },
    ),
  };
  expect(compared(frame, reversed).holds).toBe(true);
  const bounds = frame.box.bounds.with(0, -1);
  for (const [copy, problem] of [
    [changed(frame, "id", (id) => id + 1), "atoms that are not the source's"],
    [{ ...frame, columns: frame.columns.slice(0, -1) }, "column fz is missing"],
    [{ ...frame, step: 21n }, "step 21, and the source has 20"],
    [{ ...frame, time: 3 }, "another time"],
    [{ ...frame, box: { ...frame.box, bounds } }, "another time, unit style or box"],
  ] as const) {
    const comparison = compared(frame, copy);
    expect(comparison.holds).toBe(false);
    expect(comparison.problems).toEqual([expect.stringContaining(problem)]);
  }
});

test("of very many problems the first twenty are told, and how many more there are", () => {
  const comparison = new FrameComparison();
  for (let i = 0; i < 50; i++) comparison.addProblem(`problem ${i}`);
  expect(comparison.problems).toHaveLength(21);
  expect(comparison.problems.at(-1)).toBe("and 30 more");
});
