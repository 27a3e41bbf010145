import { expect, test } from "vitest";
import { SlidingTotals } from "./sliding-totals.ts";

test("a window tells what was added within it, and everything while it is young", () => {
  const window = new SlidingTotals(1_000, 10);
  for (let us = 0; us <= 5_000; us += 50) {
    const totals = [us, 2 * us];
    window.record(totals, us);
    const [added = 0, twice] = window.within(totals);
    expect(twice).toBe(2 * added);
    if (us <= 1_000) expect(added).toBe(us);
    else expect(Math.abs(added - 1_050)).toBeLessThanOrEqual(50);
    expect(window.spanUs(us)).toBe(added);
  }
});

test("what was counted right before the first look is part of it", () => {
  const window = new SlidingTotals(1_000, 10);
  window.record([7], 5_000);
  expect(window.within([9])).toEqual([9]);
});
