import { expect, test } from "vitest";
import { errorBuckets, errorLane, errorSource, truthBuckets, truthLane } from "./error-lane.ts";

const LANE = { times: [0, 10, 20], first: [1, 2, 3], second: [1, 2, 3], runs: [] };
const TRUTH = [
  { min: [-0.2, null, 0.1], max: [0.3, null, 0.4], first: [1.01, null, 2.9], second: [1.02, null, 2.95] },
  { min: [-0.9, 0.5, null], max: [0.1, 0.6, null], first: [5, 6, null], second: [5, 6, null] },
];

test("the error of a bucket is that of the two channels that are farthest from the truth, to either side", () => {
  expect(errorLane({ lanes: [LANE, LANE], truth: TRUTH })).toEqual({
    times: [0, 10, 20],
    first: [-0.9, 0.5, 0.1],
    second: [0.3, 0.6, 0.4],
    runs: [],
  });
});

test("where nobody knows the truth there is neither an error nor a truth", () => {
  expect(errorLane({ lanes: [LANE], truth: null })).toBeUndefined();
  expect(truthLane({ lanes: [LANE], truth: null }, 0)).toBeUndefined();
  expect(truthLane({ lanes: [LANE, LANE], truth: TRUTH }, 1)).toEqual({
    ...LANE,
    first: TRUTH[1]?.first,
    second: TRUTH[1]?.second,
  });
});

test("the past says the same, in the buckets of the history", () => {
  const channels = TRUTH.map((columns, c) => ({ name: `c${c}`, unit: "g", eps: 0.1, ...columns }));
  const range = { fromUs: 0, toUs: 30 };
  const answer = {
    ...{ id: "d", range, known: range, compared: 5, beyondEps: 0, maxErrorShare: 0.9 },
    ...{ t0Us: 0, widthUs: 10, count: 3, channels },
  };
  expect(errorBuckets(answer)).toEqual({ t0Us: 0, widthUs: 10, first: [-0.9, 0.5, 0.1], second: [0.3, 0.6, 0.4] });
  expect(truthBuckets(answer, "c1")).toEqual({ t0Us: 0, widthUs: 10, first: [5, 6, null], second: [5, 6, null] });
  expect(truthBuckets(answer, "other")).toBeUndefined();
  expect(errorBuckets({ ...answer, widthUs: null, count: 0 })).toBeUndefined();
});

test("an error is rounded away from zero, so that it never looks smaller than it is", () => {
  const source = errorSource();
  source.fillPast({ t0Us: 0, widthUs: 1_000_000, first: [-0.991], second: [1.001] }, []);
  expect(source.reading(undefined).value).toBe("−1.00 … 1.01 of eps");
});
