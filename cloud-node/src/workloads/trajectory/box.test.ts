import { expect, test } from "vitest";
import { cellOf, isPeriodic } from "./box.ts";

const BOUNDARY = ["pp", "fs", "mm"] as const;

test("an orthogonal box has its edges along the axes", () => {
  expect(cellOf({ shape: "orthogonal", boundary: undefined, bounds: [-1, 2, 0, 5, 3, 4] })).toEqual({
    origin: [-1, 0, 3],
    edges: [
      [3, 0, 0],
      [0, 5, 0],
      [0, 0, 1],
    ],
  });
});

test.each([
  [0.5, 0.25, 0.75],
  [-0.5, 0.25, -0.75],
  [0.5, -0.75, 0.25],
  [-0.5, -0.25, -0.75],
])("the tilt %d %d %d is taken out of the bounding box that LAMMPS writes around it", (xy, xz, yz) => {
  // A cell of edges 4, 5, 6 at (1, 2, 3), and the bounds that domain.cpp makes of it.
  const lowX = 1 + Math.min(0, xy, xz, xy + xz);
  const highX = 5 + Math.max(0, xy, xz, xy + xz);
  const bounds = [lowX, highX, xy, 2 + Math.min(0, yz), 7 + Math.max(0, yz), xz, 3, 9, yz];
  expect(cellOf({ shape: "triclinic", boundary: undefined, bounds })).toEqual({
    origin: [1, 2, 3],
    edges: [
      [4, 0, 0],
      [xy, 5, 0],
      [xz, yz, 6],
    ],
  });
});

test("a general box gives its edges and origin as they stand", () => {
  const bounds = [1, 2, 3, 10, 4, 5, 6, 20, 7, 8, 9, 30];
  expect(cellOf({ shape: "general", boundary: undefined, bounds })).toEqual({
    origin: [10, 20, 30],
    edges: [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ],
  });
});

test("only pp repeats, and an old dump does not say", () => {
  const box = { shape: "orthogonal", boundary: BOUNDARY, bounds: [0, 1, 0, 1, 0, 1] } as const;
  expect(([0, 1, 2] as const).map((axis) => isPeriodic(box, axis))).toEqual([true, false, false]);
  expect(isPeriodic({ ...box, boundary: undefined }, 0)).toBeUndefined();
});
