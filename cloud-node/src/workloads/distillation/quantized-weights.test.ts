import { expect, test } from "vitest";
import { normalNumbers } from "../../tensor/random.ts";
import { dequantizeRows, quantizeRows } from "./int8-rows.ts";
import { dequantizeNf4, NF4_BLOCK, NF4_LEVELS, quantizeNf4 } from "./nf4-blocks.ts";

test("a number in a byte is off by half a step of its row at most, and a row of zeros stays so", () => {
  const [rows, columns] = [9, 31];
  const values = normalNumbers(rows * columns, 1, 5, "matrix").map((value, at) => value * (at < columns ? 0 : at));
  const quantized = quantizeRows(values, rows, columns);
  for (const [at, value] of dequantizeRows(quantized).entries()) {
    const scale = quantized.scales[Math.floor(at / columns)] as number;
    expect(Math.abs(value - (values[at] as number))).toBeLessThanOrEqual(scale * (0.5 + 1e-5));
  }
  expect(quantized.scales[0]).toBe(0);
  expect(quantized.codes.includes(-128)).toBe(false);
});

test("a row is given back exactly where it is a row of codes", () => {
  const values = Float32Array.of(127, -64, 1, 0, -254, 2, 4, 254);
  expect(dequantizeRows(quantizeRows(values, 2, 4))).toEqual(values);
});

test("a number in four bits is the nearest level of its block", () => {
  const count = 3 * NF4_BLOCK + 7;
  const values = normalNumbers(count, 0.02, 11, "weights");
  const given = dequantizeNf4(quantizeNf4(values));
  expect(given).toHaveLength(count);
  for (const [at, value] of values.entries()) {
    const block = Math.floor(at / NF4_BLOCK) * NF4_BLOCK;
    const largest = Math.max(...values.slice(block, block + NF4_BLOCK).map(Math.abs));
    const nearest = Math.min(...NF4_LEVELS.map((level) => Math.abs(level * largest - value)));
    expect(Math.abs((given[at] as number) - value)).toBeLessThanOrEqual(nearest + 1e-8);
  }
});

test("the levels of NF4 are what they are built from: quantiles of a normal distribution", () => {
  // Acklam's approximation is not needed: the outermost quantile is at 1 − offset, and levels rise evenly in probability.
  const offset = 0.9677083;
  const inner = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => from + ((offset - from) * at) / count);
  const above = inner(0.5, 8).slice(1).concat(offset).map(normalQuantile);
  const below = inner(0.5, 7)
    .slice(1)
    .concat(offset)
    .map((share) => -normalQuantile(share));
  const levels = [...below, 0, ...above].sort((a, b) => a - b);
  const most = Math.max(...levels);
  expect(levels).toHaveLength(NF4_LEVELS.length);
  for (const [at, level] of levels.entries()) expect(level / most).toBeCloseTo(NF4_LEVELS[at] as number, 3);
});

/** By bisection of the distribution, itself by Simpson's rule: slow, and enough. */
function normalQuantile(share: number): number {
  let [low, high] = [0, 6];
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (0.5 + normalArea(middle) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function normalArea(to: number): number {
  const parts = 200;
  const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  let sum = density(0) + density(to);
  for (let at = 1; at < parts; at += 1) sum += (at % 2 === 1 ? 4 : 2) * density((to * at) / parts);
  return (sum * to) / parts / 3;
}
