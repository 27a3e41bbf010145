import { expect, test } from "vitest";
import type { Box } from "./box.ts";
import type { TrajectoryFrame } from "./frame.ts";
import { lennardJonesEnergies } from "./lennard-jones.ts";
import { SeededNumbers } from "./melt.suite.ts";

const CUBE: Box = { shape: "orthogonal", boundary: ["pp", "pp", "pp"], bounds: [0, 12, 0, 12, 0, 12] };

function frameOf(columns: Readonly<Record<string, readonly number[]>>, box = CUBE): TrajectoryFrame {
  const lines = Object.entries(columns).map(([name, values]) => ({
    ...{ kind: "real" as const, name },
    values: Float64Array.from(values),
  }));
  const head = { step: 0n, time: undefined, units: "lj", ids: undefined, source: undefined };
  return { ...head, box, atoms: lines[0]?.values.length ?? 0, columns: lines };
}

function pair(r: number): number {
  return 4 * (r ** -12 - r ** -6);
}

test("two atoms have half the pair's energy each, through the faces of a box that repeats and of no other", () => {
  const apart = { x: [0.4, 11.5], y: [1, 1], z: [2, 2] };
  expect(lennardJonesEnergies(frameOf(apart), 2.5)?.potential).toBeCloseTo(pair(0.9) / 2, 9);
  const fixed = { ...CUBE, boundary: ["ff", "pp", "pp"] as const };
  expect(lennardJonesEnergies(frameOf(apart, fixed), 2.5)?.potential).toBe(0);
  expect(lennardJonesEnergies(frameOf({ x: [1, 3.4], y: [1, 1], z: [2, 2] }), 2.5)?.potential).toBeCloseTo(
    pair(2.4) / 2,
    9,
  );
  expect(lennardJonesEnergies(frameOf({ x: [1, 3.6], y: [1, 1], z: [2, 2] }), 2.5)?.potential).toBe(0);
});

test("positions that are scaled or not wrapped have the same energy", () => {
  const plain = lennardJonesEnergies(frameOf({ x: [0.4, 11.5], y: [1, 1.2], z: [2, 2] }), 2.5)?.potential;
  const unwrapped = frameOf({ xu: [24.4, -0.5], yu: [1, 1.2], zu: [2, 14] });
  expect(lennardJonesEnergies(unwrapped, 2.5)?.potential).toBeCloseTo(plain ?? 0, 9);
  const scaled = frameOf({ xs: [0.4 / 12, 11.5 / 12], ys: [1 / 12, 0.1], zs: [1 / 6, 1 / 6] });
  expect(lennardJonesEnergies(scaled, 2.5)?.potential).toBeCloseTo(plain ?? 0, 9);
});

/** Every pair in every image, the slow way. */
function slowPotential(points: readonly (readonly number[])[], edges: readonly (readonly number[])[]): number {
  let energy = 0;
  const span = [-2, -1, 0, 1, 2];
  for (const [i, p] of points.entries()) {
    for (const [j, q] of points.entries()) {
      for (const a of span) {
        for (const b of span) {
          for (const c of span) {
            if (i === j && a === 0 && b === 0 && c === 0) continue;
            const d = [0, 1, 2].map(
              (k) =>
                (p[k] ?? 0) -
                (q[k] ?? 0) -
                a * (edges[0]?.[k] ?? 0) -
                b * (edges[1]?.[k] ?? 0) -
                c * (edges[2]?.[k] ?? 0),
            );
            const r = Math.hypot(...d);
            if (r <= 2.5) energy += pair(r) / 2;
          }
        }
      }
    }
  }
  return energy / points.length;
}

test.each([
  [[8, 9, 10], [0, 0, 0], 60],
  [[9, 8, 8.5], [3, -2, 1.5], 60],
  // Smaller than the cut-off: atoms see images of themselves.
  [[2, 6, 3], [0, 0, 0], 6],
  [[2.2, 4, 3], [-1, 0.5, 1], 5],
] as const)("in a box of %j tilted by %j it is the sum over all pairs and images", (lengths, [xy, xz, yz], atoms) => {
  const random = new SeededNumbers(7);
  const [lx, ly, lz] = lengths;
  const edges = [
    [lx, 0, 0],
    [xy, ly, 0],
    [xz, yz, lz],
  ];
  const points = Array.from({ length: atoms }, () => {
    const s = [random.next(), random.next(), random.next()];
    return [0, 1, 2].map((d) => s.reduce((sum, part, k) => sum + part * (edges[k]?.[d] ?? 0), 0));
  });
  const low = [Math.min(0, xy, xz, xy + xz), Math.min(0, yz), 0];
  const high = [lx + Math.max(0, xy, xz, xy + xz), ly + Math.max(0, yz), lz];
  const box: Box = {
    shape: "triclinic",
    boundary: ["pp", "pp", "pp"],
    bounds: [low[0] ?? 0, high[0] ?? 0, xy, low[1] ?? 0, high[1] ?? 0, xz, low[2] ?? 0, high[2] ?? 0, yz],
  };
  const axis = (d: number) => points.map((point) => point[d] ?? 0);
  const found = lennardJonesEnergies(frameOf({ x: axis(0), y: axis(1), z: axis(2) }, box), 2.5)?.potential ?? 0;
  const expected = slowPotential(points, edges);
  expect(Math.abs(found / expected - 1)).toBeLessThan(1e-9);
});

test("the kinetic energy is half of mass times speed squared, masses being one unless dumped", () => {
  const still = { x: [1, 6], y: [1, 6], z: [1, 6] };
  expect(lennardJonesEnergies(frameOf(still), 2.5)).toEqual({ potential: 0, kinetic: undefined });
  const moving = { ...still, vx: [1, 0], vy: [2, 0], vz: [0, 3] };
  expect(lennardJonesEnergies(frameOf(moving), 2.5)?.kinetic).toBe((1 + 4 + 9) / 4);
  expect(lennardJonesEnergies(frameOf({ ...moving, mass: [2, 1] }), 2.5)?.kinetic).toBe((2 * 5 + 9) / 4);
});

test("without atoms, positions or a volume there is no energy", () => {
  const flat: Box = { ...CUBE, bounds: [0, 12, 0, 0, 0, 12] };
  expect(lennardJonesEnergies(frameOf({ x: [], y: [], z: [] }), 2.5)).toBeUndefined();
  expect(lennardJonesEnergies(frameOf({ x: [1], y: [1] }), 2.5)).toBeUndefined();
  expect(lennardJonesEnergies(frameOf({ x: [1], y: [0], z: [1] }, flat), 2.5)).toBeUndefined();
});
