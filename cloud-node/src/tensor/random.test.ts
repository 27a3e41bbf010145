import { expect, test } from "vitest";
import { cosine, exponential, logarithm, sine } from "./exact-functions.ts";
import { normalNumbers, RandomStream, uniformNumbers } from "./random.ts";
import { rotationTable } from "./rotation-table.ts";

test("the functions are those of Math, to 1e-14", () => {
  const stream = new RandomStream(1, "arguments");
  for (let i = 0; i < 2000; i++) {
    const x = 1000 * (stream.nextUniform() - 0.5);
    expect(Math.abs(cosine(x) - Math.cos(x))).toBeLessThan(1e-13);
    expect(Math.abs(sine(x) - Math.sin(x))).toBeLessThan(1e-13);
    expect(Math.abs(exponential(x / 10) / Math.exp(x / 10) - 1)).toBeLessThan(1e-14);
    const positive = Math.exp(x / 10);
    expect(Math.abs(logarithm(positive) - Math.log(positive))).toBeLessThan(1e-14 * Math.max(1, Math.abs(x / 10)));
  }
});

test("a stream depends on its seed and its name, and goes on where it was left", () => {
  const draw = (seed: number, name: string, counter = 0) => {
    const stream = new RandomStream(seed, name, counter);
    return Array.from({ length: 8 }, () => stream.nextWord());
  };
  expect(draw(1, "a")).toEqual(draw(1, "a"));
  for (const other of [draw(2, "a"), draw(1, "b"), draw(2 ** 32 + 1, "a")]) expect(other).not.toEqual(draw(1, "a"));
  expect(draw(1, "a", 3).slice(0, 5)).toEqual(draw(1, "a").slice(3));
});

test("words fill all their bits evenly", () => {
  const stream = new RandomStream(7, "bits");
  const ones = new Array<number>(32).fill(0);
  for (let i = 0; i < 10_000; i++) {
    const word = stream.nextWord();
    for (let bit = 0; bit < 32; bit++) ones[bit] = (ones[bit] ?? 0) + ((word >>> bit) & 1);
  }
  // Five deviations of 10,000 fair coins.
  for (const count of ones) expect(Math.abs(count - 5000)).toBeLessThan(250);
});

test("normal and uniform numbers have their moments", () => {
  const normal = normalNumbers(20_000, 2, 3, "normal");
  const uniform = uniformNumbers(20_000, 2, 3, "uniform");
  const moment = (numbers: Float32Array, power: number) =>
    numbers.reduce((sum, x) => sum + x ** power, 0) / numbers.length;
  expect(Math.abs(moment(normal, 1))).toBeLessThan(0.07);
  expect(Math.abs(moment(normal, 2) - 4)).toBeLessThan(0.2);
  expect(Math.abs(moment(normal, 4) / 48 - 1)).toBeLessThan(0.15);
  expect(Math.abs(moment(uniform, 1))).toBeLessThan(0.05);
  expect(Math.abs(moment(uniform, 2) - 4 / 3)).toBeLessThan(0.05);
  expect(Math.max(...uniform)).toBeLessThan(2);
});

test("the table of rotations holds unit vectors, turned by the position's angle", () => {
  const table = rotationTable(9, 4, 100);
  for (let position = 0; position < 9; position++) {
    for (const pair of [0, 1]) {
      const [x, y] = [table[4 * position + pair], table[4 * position + 2 + pair]];
      expect(x).toBeCloseTo(Math.cos(position * 100 ** (-pair / 2)), 12);
      expect(y).toBeCloseTo(Math.sin(position * 100 ** (-pair / 2)), 12);
    }
  }
});
