import { expect, test } from "vitest";
import { retentionOf } from "./retention.ts";

const right = Array.from({ length: 200 }, (_, at) => `${at}`);
/** Wrong for the first so many prompts. */
const wrongFor = (count: number) => right.map((answer, at) => (at < count ? "?" : answer));

test("a student that answers as its teacher does has kept all, for certain", () => {
  expect(retentionOf(wrongFor(10), wrongFor(10), right, 42)).toEqual({
    ...{ prompts: 200, teacher: 190, student: 190, retention: 1, low: 1, high: 1 },
  });
});

test("retention is of what the teacher knew, and the interval is about what independent prompts give", () => {
  const { retention, low, high } = retentionOf(wrongFor(0), wrongFor(10), right, 42);
  expect(retention).toBe(0.95);
  // Normal approximation of a share of 0.95 of 200 prompts: ± 1.96 √(0.95 · 0.05 / 200) = ± 0.0302.
  expect(Math.abs(low - 0.9198)).toBeLessThan(0.006);
  expect(Math.abs(high - 0.9802)).toBeLessThan(0.006);
});

test("a student may be better than its teacher, and answers are compared whole", () => {
  expect(retentionOf(wrongFor(100), wrongFor(0), right, 42).retention).toBe(2);
  expect(
    retentionOf(
      right,
      right.map((answer) => `${answer} `),
      right,
      42,
    ).student,
  ).toBe(0);
});
