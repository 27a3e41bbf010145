import { expect, test } from "vitest";
import { PixelColumns } from "./pixel-columns.ts";
import type { PlotArea } from "./plot-area.ts";

/** 10 columns of pixels for 10 s, 100 for values from 0 to 100; nothing is drawn. */
const AREA = {
  ctx: undefined as unknown as CanvasRenderingContext2D,
  left: 5,
  top: 0,
  width: 10,
  height: 100,
  pixelRatio: 1,
  fromS: 0,
  toS: 10,
  low: 0,
  high: 100,
} satisfies PlotArea;

function filled(x: readonly number[], y: readonly number[]): PixelColumns {
  const columns = new PixelColumns();
  columns.fill(AREA, { x: Float64Array.from(x), y: Float64Array.from(y) });
  return columns;
}

const rows = (columns: PixelColumns): (readonly [number, number])[] =>
  Array.from({ length: columns.count }, (_, at) => [columns.top(at), columns.bottom(at)] as const);

test("a column covers the highest and the lowest of its points", () => {
  const columns = filled([3.1, 3.2, 3.3, 3.4], [50, 90, 10, 60]);
  expect([columns.left, columns.count]).toEqual([5, 10]);
  expect(rows(columns)[3]).toEqual([10, 90]);
  expect(rows(columns)[2]?.every(Number.isNaN)).toBe(true);
});

test("the way between two points is covered in every column that it goes through, and leaves no hole", () => {
  const covered = rows(filled([1.5, 5.5], [0, 80]));
  expect(covered.slice(1, 6)).toEqual([
    [90, 100],
    [70, 90],
    [50, 70],
    [30, 50],
    [20, 30],
  ]);
});

test("nothing is covered where there is no point, and nothing beside the plot", () => {
  const covered = rows(filled([0.5, 1.5, 2.5, 6.5, 12, -3], [40, Number.NaN, 60, Number.NaN, 70, 70]));
  const known = covered.flatMap(([top], at) => (Number.isNaN(top) ? [] : [at]));
  expect(known).toEqual([0, 2]);
});

test("columns that are filled again know nothing of before", () => {
  const columns = filled([1.5], [50]);
  columns.fill(AREA, { x: Float64Array.of(8.5), y: Float64Array.of(20) });
  expect(Number.isNaN(columns.top(1))).toBe(true);
  expect(columns.top(8)).toBe(80);
});
