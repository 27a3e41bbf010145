import { expect, test } from "vitest";
import { normalizeRows, unitSource } from "./unit-source.ts";
import { sourceOfArray } from "./vector-source.ts";

test("an array is read in blocks of whole rows, and the last block may be smaller", async () => {
  const source = sourceOfArray(Float32Array.of(1, 2, 3, 4, 5, 6), 2);
  expect([source.n, source.d]).toEqual([3, 2]);
  const out = new Float32Array(5);
  expect(await source.read(0, out)).toBe(2);
  expect([...out.subarray(0, 4)]).toEqual([1, 2, 3, 4]);
  expect(await source.read(2, out)).toBe(1);
  expect([...out.subarray(0, 2)]).toEqual([5, 6]);
  expect(await source.read(3, out)).toBe(0);
});

test.each([
  [new Float32Array(0), 2],
  [new Float32Array(5), 2],
  [new Float32Array(4), 0],
  [new Float32Array(4), 1.5],
])("%o is no rows of %d", (values, d) => {
  expect(() => sourceOfArray(values, d, "a")).toThrow(expect.objectContaining({ code: "bad-shape" }));
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  "%o is refused with its row and column",
  async (value) => {
    const source = sourceOfArray(Float32Array.of(1, 2, 3, 4, 5, value), 2, "a.npy");
    expect(await source.read(0, new Float32Array(4))).toBe(2);
    await expect(source.read(1, new Float32Array(4))).rejects.toMatchObject({
      code: "not-finite",
      place: { file: "a.npy", row: 2, column: 1 },
    });
  },
);

test("a unit source has length 1 in every row, however large or small it was", async () => {
  const source = unitSource(sourceOfArray(Float32Array.of(3, 4, 3e-30, 4e-30, -6e15, 8e15), 2));
  const out = new Float32Array(6);
  expect(await source.read(0, out)).toBe(3);
  for (const [at, value] of [0.6, 0.8, 0.6, 0.8, -0.6, 0.8].entries()) expect(out[at]).toBeCloseTo(value, 6);
});

test("a row of zeros has no cosine, and is refused by its number", () => {
  const rows = Float32Array.of(1, 0, 0, 0);
  expect(() => normalizeRows(rows, 2, 10, "a")).toThrow(
    expect.objectContaining({ code: "zero-vector", place: { file: "a", row: 11 } }),
  );
});
