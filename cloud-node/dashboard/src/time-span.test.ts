import { expect, test } from "vitest";
import { keptWithin, lengthUs, panned, spanBetween, zoomed } from "./time-span.ts";

const VIEW = { fromUs: 1_000_000, toUs: 2_000_000 };

test("zooming keeps the instant that it is about where it is, in and out", () => {
  const near = zoomed(VIEW, 0.5, 1_250_000);
  expect(near).toEqual({ fromUs: 1_125_000, toUs: 1_625_000 });
  expect(zoomed(near, 2, 1_250_000)).toEqual(VIEW);
});

test("nobody zooms in to less than two milliseconds, and a selection of nothing is as long", () => {
  expect(lengthUs(zoomed(VIEW, 1e-9, 1_500_000))).toBe(2_000);
  expect(spanBetween(5_000, 5_000)).toEqual({ fromUs: 5_000, toUs: 7_000 });
  expect(spanBetween(9_000_000, 3_000_000)).toEqual({ fromUs: 3_000_000, toUs: 9_000_000 });
});

test("panning keeps the length", () => {
  expect(panned(VIEW, -400_000.4)).toEqual({ fromUs: 600_000, toUs: 1_600_000 });
});

test("a view always shows something of what there is", () => {
  const all = { fromUs: 10_000_000, toUs: 20_000_000 };
  expect(keptWithin({ fromUs: 0, toUs: 1_000_000 }, all)).toEqual({ fromUs: 9_500_000, toUs: 10_500_000 });
  expect(keptWithin({ fromUs: 90_000_000, toUs: 91_000_000 }, all)).toEqual({ fromUs: 19_500_000, toUs: 20_500_000 });
  expect(keptWithin({ fromUs: 12_000_000, toUs: 13_000_000 }, all)).toEqual({ fromUs: 12_000_000, toUs: 13_000_000 });
  const { fromUs, toUs } = keptWithin({ fromUs: 0, toUs: 1_000_000_000 }, all);
  expect(toUs - fromUs).toBe(20_000_000);
  expect(fromUs < 10_000_000 && toUs > 10_000_000).toBe(true);
});
