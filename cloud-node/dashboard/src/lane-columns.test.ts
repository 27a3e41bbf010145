import { expect, test } from "vitest";
import type { LaneUpdate } from "../../src/api/lane-feed.ts";
import { LaneColumns } from "./lane-columns.ts";
import { LaneRing } from "./lane-ring.ts";

const WIDTH_US = 10_000;
const NONE = { times: [], values: [] };

function update(times: readonly number[], isWhole: boolean, value = (at: number) => at / WIDTH_US): LaneUpdate {
  const [first, second] = [times.map(value), times.map((at) => value(at) + 0.5)];
  return {
    device: "d",
    epoch: 1,
    isWhole,
    channels: [{ name: "x", unit: "g", eps: 0.1 }],
    widthUs: WIDTH_US,
    windowUs: 100 * WIDTH_US,
    confirmedUs: times.at(-1) ?? 0,
    pendingUs: null,
    truth: null,
    lanes: [{ times: [...times], first, second, runs: [] }],
    extrapolated: { times: [], values: [] },
  };
}

test("buckets that come one by one are all there, however often the room is used up", () => {
  const ring = new LaneRing();
  ring.apply(update([0], true), 0);
  for (let i = 1; i < 1000; i++) ring.apply(update([i * WIDTH_US], false), 0);
  expect(ring.length).toBeGreaterThanOrEqual(100);
  expect(ring.length).toBeLessThanOrEqual(127);
  for (let i = 0; i < ring.length; i++) {
    const at = ring.timeUs(ring.length - 1) - (ring.length - 1 - i) * WIDTH_US;
    expect([ring.timeUs(i), ring.first(i), ring.second(i)]).toEqual([at, at / WIDTH_US, at / WIDTH_US + 0.5]);
  }
  expect(ring.timeUs(ring.length - 1)).toBe(999 * WIDTH_US);
});

test("a bucket that is told again is fuller, not there twice", () => {
  const ring = new LaneRing();
  ring.apply(update([0, WIDTH_US], true), 0);
  ring.apply(
    update([WIDTH_US, 2 * WIDTH_US], false, () => 9),
    0,
  );
  expect(ring.length).toBe(3);
  expect([ring.first(0), ring.first(1), ring.first(2)]).toEqual([0, 9, 9]);
});

test("nothing is joined across a gap, live or past", () => {
  const ring = new LaneRing();
  ring.apply(update([0, WIDTH_US, 5 * WIDTH_US], true), 0);
  const live = new LaneColumns();
  live.fillLive(ring, NONE);
  expect([...live.confirmed]).toEqual([0, 0.5, 1, 1.5, Number.NaN, 5, 5.5]);
  const past = new LaneColumns();
  past.fillBuckets({ t0Us: 0, widthUs: WIDTH_US, first: [null, 1, null, null, 2], second: [null, 1, null, null, 3] });
  expect([...past.confirmed]).toEqual([1, 1, Number.NaN, 2, 3]);
});

test("what is expected begins at the last confirmed point, and has no part in what is confirmed", () => {
  const ring = new LaneRing();
  ring.apply(update([0], true), 0);
  const columns = new LaneColumns();
  columns.fillLive(ring, { times: [2 * WIDTH_US, 3 * WIDTH_US], values: [7, 8] });
  expect([...columns.confirmed]).toEqual([0, 0.5, Number.NaN, Number.NaN]);
  expect([...columns.guess]).toEqual([Number.NaN, 0.5, 7, 8]);
});

test("columns are the same memory from frame to frame", () => {
  const columns = new LaneColumns();
  columns.fillBuckets({ t0Us: 0, widthUs: WIDTH_US, first: [1], second: [2] });
  const { buffer } = columns.x;
  columns.fillBuckets({ t0Us: 0, widthUs: WIDTH_US, first: [1, 2, 3], second: [2, 3, 4] });
  expect(columns.x.buffer).toBe(buffer);
  expect(columns.nearest(0.024)).toBe(4);
});
