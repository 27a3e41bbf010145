import { expect, test } from "vitest";
import { SeededNoise } from "./codec-signals.suite.ts";
import { LatticeScan, shortestWithin } from "./lattice.ts";

const FLOAT32_ROUNDING = 2 ** -24;

function scan(values: Iterable<number>): LatticeScan {
  const lattice = new LatticeScan();
  for (const value of values) lattice.add(value);
  return lattice;
}

/** Multiples of s that wander, as float32. */
function steps(s: number, start: number, reach: number, count: number, seed = 1): number[] {
  const random = new SeededNoise(seed);
  return Array.from({ length: count }, () => Math.fround(s * (start + Math.floor(random.uniform() * reach))));
}

test.for([
  [0.005, -300, 400],
  [0.002, 40, 5000],
  [1 / 3, -5, 90],
  [0.1, 3000, 60],
  [17, -1000, 2000],
])("multiples of %f from the %ith on are found, rounded to float32", ([s, start, reach]) => {
  const values = steps(s ?? 0, start ?? 0, reach ?? 0, 5000);
  const rounding = FLOAT32_ROUNDING * Math.max(...values.map(Math.abs));
  const found = scan(values).spacing(rounding);
  expect(found).toBeDefined();
  for (const value of values) {
    const multiple = value / (found ?? Number.NaN);
    expect(Math.abs(multiple - Math.round(multiple)) * (found ?? 0)).toBeLessThanOrEqual(rounding * 1.01);
  }
  expect((found ?? 0) / (s ?? 1)).toBeCloseTo(1, 6);
});

test("a decimal spacing comes back as the decimal that it is", () => {
  expect(scan(steps(0.005, -300, 400, 5000)).spacing(2 * FLOAT32_ROUNDING)).toBe(0.005);
  expect(shortestWithin(0.00999999, 0.01000001)).toBe(0.01);
});

test("a spacing is the largest: even multiples alone give twice the step", () => {
  expect(scan(steps(0.005, 0, 400, 5000).map((value) => 2 * value)).spacing(4 * FLOAT32_ROUNDING)).toBe(0.01);
});

test("noise, a constant, two values and nothing at all are no lattice", () => {
  const random = new SeededNoise(7);
  expect(
    scan(Array.from({ length: 5000 }, () => Math.fround(random.uniform()))).spacing(FLOAT32_ROUNDING),
  ).toBeUndefined();
  expect(scan(Array.from({ length: 500 }, () => 0.125)).spacing(FLOAT32_ROUNDING)).toBeUndefined();
  expect(scan([0, 1, 0, 1, 1, 0]).spacing(FLOAT32_ROUNDING)).toBeUndefined();
  expect(scan([]).spacing(FLOAT32_ROUNDING)).toBeUndefined();
  expect(scan([Number.NaN, Number.NaN]).spacing(FLOAT32_ROUNDING)).toBeUndefined();
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
  "a rounding of %d tells nothing, whatever the readings",
  (rounding) => {
    for (const values of [[], [0], [0, 0, 0], [1e-300], [0, 1, 2, 3], steps(0.005, -300, 400, 5000)]) {
      expect(scan(values).spacing(rounding)).toBeUndefined();
    }
  },
);

test("one reading in a hundred off the lattice is enough to find none", () => {
  const values = steps(0.005, -300, 400, 2000).map((value, i) => (i % 100 === 0 ? value + 0.0017 : value));
  expect(scan(values).spacing(2 * FLOAT32_ROUNDING)).not.toBe(0.005);
});

test("memory stays bounded, and late readings count", () => {
  const lattice = scan(steps(0.01, 0, 100, 100_000));
  for (const value of steps(0.005, 0, 200, 100_000)) lattice.add(value);
  expect(lattice.spacing(2 * FLOAT32_ROUNDING)).toBe(0.005);
});
