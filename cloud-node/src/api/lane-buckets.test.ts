import { expect, test } from "vitest";
import { bucketSamples, bucketWidthUs } from "./lane-buckets.ts";

const PERIOD_US = 10;
const sample = (index: number, value: number, status = 0) => ({ timeUs: index * PERIOD_US, value, status });

test("a bucket shows its two extremes in the order in which they occurred", () => {
  const { times, first, second } = bucketSamples(
    [3, 1, 4, 1, 5, 9, 2, 6].map((v, i) => sample(i, v)),
    PERIOD_US,
    40,
    0,
  );
  expect(times).toEqual([0, 40]);
  expect([first, second]).toEqual([
    [1, 9],
    [4, 2],
  ]);
});

test("edges are absolute multiples of the width, whatever is asked for", () => {
  const samples = Array.from({ length: 100 }, (_, i) => sample(i, i));
  const all = bucketSamples(samples, PERIOD_US, 80, 0);
  const later = bucketSamples(samples.slice(33), PERIOD_US, 80, 400);
  expect(all.times.slice(-later.times.length)).toEqual(later.times);
});

test("missing samples are a run, and no bucket covers them", () => {
  const { times, runs } = bucketSamples([sample(0, 1), sample(1, 1), sample(9, 1)], PERIOD_US, 20, 0);
  expect(times).toEqual([0, 80]);
  expect(runs).toEqual([{ kind: "lost", from: 20, to: 90 }]);
});

test("readings that are missing draw nothing, clipped ones draw and are marked", () => {
  const { first, runs } = bucketSamples([sample(0, 7), sample(1, 7, 1), sample(2, 8, 2)], PERIOD_US, 10, 0);
  expect(first).toEqual([7, 8]);
  expect(runs.map(({ kind }) => kind)).toEqual(["invalid", "saturated"]);
});

test("the width is the period doubled until the window has few enough", () => {
  expect(bucketWidthUs(10_000, 10_000_000, 1024)).toBe(10_000);
  expect(bucketWidthUs(10_000, 60_000_000, 1024)).toBe(80_000);
});
