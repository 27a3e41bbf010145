import { expect, test } from "vitest";
import type { Box } from "./box.ts";
import { SeededNumbers } from "./melt.suite.ts";
import {
  decodeTurns,
  encodeTurns,
  findTurns,
  movesOf,
  type Period,
  type PeriodicPath,
  type PositionsAt,
  periodicAxes,
  periodsOf,
} from "./periodic-path.ts";

const FRAMES = 30;
const ATOMS = 25;
const AXES = [0, 1, 2] as const;
const ALL = ["pp", "pp", "pp"] as const;

/** As the core moves them. */
function moved(
  values: Float64Array,
  path: PeriodicPath,
  periods: readonly Period[],
  frame: number,
  axis: number,
  sign: 1 | -1,
): Float64Array {
  const moves = movesOf(path, periods, frame, axis, sign);
  return values.map((value, i) => moves.reduce((sum, { turns, edge }) => sum + (turns[i] ?? 0) * edge, value));
}

/** Boxes that breathe and, where they are tilted, shear; bounds as a dump has them. */
function boxesOf(shape: "orthogonal" | "triclinic"): Box[] {
  return Array.from({ length: FRAMES }, (_, t) => {
    const [lx, ly, lz] = [5 + 0.01 * t, 6 - 0.005 * t, 7];
    if (shape === "orthogonal") return { shape, boundary: ALL, bounds: [-1, lx - 1, 2, ly + 2, 0, lz] };
    const [xy, xz, yz] = [0.05 * t, -0.4, 0.8];
    const [low, high] = [Math.min(0, xy, xz, xy + xz), Math.max(0, xy, xz, xy + xz)];
    return { shape, boundary: ALL, bounds: [low - 1, lx - 1 + high, xy, 2, ly + 2 + yz, xz, 0, lz, yz] };
  });
}

/** Scaled paths that wander over several boxes, and where they are inside: shape (frames)(axes)(atoms). */
function wandering(periods: readonly Period[]): Float64Array[][] {
  const random = new SeededNumbers(17);
  const scaled = AXES.map(() => Float64Array.from({ length: ATOMS }, () => random.next()));
  return periods.map(({ origin, edges }) => {
    for (const axis of scaled) for (const [i, s] of axis.entries()) axis[i] = s + 0.3 * (random.next() - 0.4);
    return AXES.map((d) =>
      Float64Array.from({ length: ATOMS }, (_, i) => {
        const inside = scaled.map((axis) => (axis[i] ?? 0) - Math.floor(axis[i] ?? 0));
        return inside.reduce((sum, s, k) => sum + s * (edges[k]?.[d] ?? 0), origin[d] ?? 0);
      }),
    );
  });
}

test.for(["orthogonal", "triclinic"] as const)(
  "positions in %s boxes become paths without jumps, and come back",
  (shape) => {
    const boxes = boxesOf(shape);
    const periods = periodsOf(boxes, AXES, false) ?? [];
    expect(periods.length).toBe(FRAMES);
    const wrapped = wandering(periods);
    const at = (frame: number, axis: number) => wrapped[frame]?.[axis] ?? new Float64Array(0);
    const path = findTurns(at, periods, periodicAxes(boxes, AXES));
    // As a reader has it: a little off.
    const decoded: PositionsAt = (frame, axis) =>
      moved(at(frame, axis), path, periods, frame, axis, 1).map((x) => Math.round(x / 0.02) * 0.02);
    const bytes = encodeTurns(path, decoded, periods);
    expect(decodeTurns(bytes, decoded, periods, ATOMS)).toEqual(path);
    // All but those near a face are foreseen.
    expect(bytes.length).toBeLessThan(1.5 * 3 * (FRAMES - 1));
    let turned = 0;
    for (let t = 1; t < FRAMES; t++) {
      for (const axis of AXES) {
        const [before, now] = [
          moved(at(t - 1, axis), path, periods, t - 1, axis, 1),
          moved(at(t, axis), path, periods, t, axis, 1),
        ];
        for (const [i, x] of now.entries()) expect(Math.abs(x - (before[i] ?? 0))).toBeLessThan(4);
        const back = moved(now, path, periods, t, axis, -1);
        for (const [i, x] of back.entries()) expect(Math.abs(x - (at(t, axis)[i] ?? 0))).toBeLessThan(1e-12);
        turned += Number(now.some((x, i) => x !== at(t, axis)[i]));
      }
    }
    expect(turned).toBeGreaterThan(FRAMES);
  },
);

test("an axis that does not repeat is left alone, and so is a box without volume", () => {
  const still = boxesOf("orthogonal").map((box) => ({ ...box, boundary: ["ff", "pp", "pp"] as const }));
  const periods = periodsOf(still, AXES, false) ?? [];
  const jumping = (frame: number) => new Float64Array(3).fill(frame % 2 === 0 ? 0 : 4.9);
  const { turns } = findTurns(jumping, periods, periodicAxes(still, AXES));
  expect(turns[1]?.[0]?.every((turn) => turn === 0)).toBe(true);
  expect(turns[1]?.[1]?.some((turn) => turn !== 0)).toBe(true);
  const flat = [0, 1].map((): Box => ({ shape: "orthogonal", boundary: ALL, bounds: [0, 0, 0, 1, 0, 1] }));
  const none = findTurns(jumping, periodsOf(flat, AXES, false) ?? [], [true, true, true]);
  expect(none.turns).toEqual([undefined, undefined]);
});

test("of atoms that stay outside for a while, only the moment that they are moved inside is written down", () => {
  const boxes = Array.from(
    { length: 20 },
    (): Box => ({ shape: "orthogonal", boundary: ALL, bounds: [0, 4, 0, 4, 0, 4] }),
  );
  const periods = periodsOf(boxes, [0], false) ?? [];
  const paths = Array.from({ length: 20 }, (_, t) =>
    Float64Array.from({ length: 8 }, (_, i) => 3.5 + 0.1 * i + 0.05 * t),
  );
  // Moved into the box at every tenth frame, as between two builds of neighbour lists.
  const wrapped = paths.map((line, t) => {
    const then = paths[t - (t % 10)] ?? line;
    return line.map((x, i) => x - 4 * Math.floor((then[i] ?? x) / 4));
  });
  const path = findTurns((t) => wrapped[t] ?? new Float64Array(0), periods, [true]);
  const decoded: PositionsAt = (frame, axis) =>
    moved(wrapped[frame] ?? new Float64Array(0), path, periods, frame, axis, 1);
  const bytes = encodeTurns(path, decoded, periods);
  expect(path.turns[10]?.[0]?.some((turn) => turn !== 0)).toBe(true);
  expect([...bytes]).toEqual(Array.from({ length: 19 }, (_, i) => Number(i === 9)));
  expect(decodeTurns(bytes, decoded, periods, 8)).toEqual(path);
});

test("turns that no encoder writes are refused", () => {
  const still: PositionsAt = () => new Float64Array(5);
  const boxes = [0, 1].map((): Box => ({ shape: "orthogonal", boundary: ALL, bounds: [-1, 1, -1, 1, -1, 1] }));
  const periods = periodsOf(boxes, AXES, false) ?? [];
  const bytes = Uint8Array.of(2, 0, 0, 2, 1);
  expect(decodeTurns(bytes, still, periods, 5)?.turns[1]?.[0]).toEqual(Int32Array.of(0, 0, -1, 0, 0));
  expect(decodeTurns(bytes, still, periods, 2)).toBeUndefined();
  expect(decodeTurns(bytes.subarray(0, 4), still, periods, 5)).toBeUndefined();
  expect(decodeTurns(Uint8Array.of(...bytes, 0), still, periods, 5)).toBeUndefined();
  const leaning = periods.map(({ origin, edges }) => ({
    origin,
    edges: edges.map((edge, k) => (k === 0 ? [2, 1, 0] : edge)),
  }));
  expect(decodeTurns(bytes.with(1, 1), still, leaning, 5)).toBeUndefined();
  expect(decodeTurns(bytes.with(1, 1), still, periods, 5)).toBeDefined();
});
