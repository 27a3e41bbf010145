import { expect, test } from "vitest";
import { linearAxis, logAxis } from "./figure-axis.ts";

test("an axis has round ticks between its least and largest value, and places in order", () => {
  const axis = linearAxis([2.07, 4.13]);
  expect(axis.ticks.map(({ text }) => text)).toEqual(["2.5", "3.0", "3.5", "4.0"]);
  expect([axis.at(2.07), axis.at(4.13)]).toEqual([0, 1]);
  for (const { at, text } of axis.ticks) expect(at).toBeCloseTo((Number(text) - 2.07) / 2.06, 9);
});

test("a logarithmic axis goes from one power of ten to another, with equal distances for equal ratios", () => {
  const axis = logAxis([3, 0.02, 40], String);
  expect(axis.ticks.map(({ text }) => text)).toEqual(["0.01", "0.1", "1", "10", "100"]);
  expect(axis.ticks.map(({ at }) => at)).toEqual([0, 0.25, 0.5, 0.75, 1]);
  expect(axis.at(1)).toBeCloseTo(0.5, 12);
});

test("an axis over hardly anything still has its places", () => {
  for (const axis of [linearAxis([]), linearAxis([5]), logAxis([], String), logAxis([100], String)]) {
    for (const { at } of axis.ticks) expect(at >= 0 && at <= 1).toBe(true);
    expect(Number.isFinite(axis.at(7))).toBe(true);
  }
  expect(logAxis([1e-30, 1e30], String).ticks.length).toBeLessThan(10);
});
