import fc from "fast-check";
import { expect, test } from "vitest";
import { WINDOW_FRAMES } from "./frames/numbers.ts";
import { expandSeq, gapRanges, LAST_SEQ, matchEpoch, position } from "./sequence.ts";

const SEED = 11;
const SEQ = fc.oneof(
  fc.nat({ max: LAST_SEQ }),
  fc.integer({ min: LAST_SEQ - 5000, max: LAST_SEQ }),
  fc.nat({ max: 5000 }),
);

test("a position has the epoch's low four bits above the seq's low twelve", () => {
  expect(position(1, 1)).toBe(0x1001);
  expect(position(31, 4096 + 7)).toBe(0xf007);
  expect(position(0xffff_ffff, LAST_SEQ)).toBe(0xffff);
});

test("every seq of the window around the expected one is found from its position, across every wrap of the twelve bits", () => {
  fc.assert(
    fc.property(SEQ, fc.integer({ min: -WINDOW_FRAMES, max: WINDOW_FRAMES - 1 }), (expected, distance) => {
      const seq = expected + distance;
      fc.pre(seq >= 0 && seq <= LAST_SEQ);
      expect(expandSeq(position(3, seq), expected)).toBe(seq);
    }),
    { seed: SEED, numRuns: 5000 },
  );
});

test("the window is exact at its ends: 2,048 behind to 2,047 ahead", () => {
  for (let seq = 10_000 - 2048; seq <= 10_000 + 2047; seq++) {
    expect(expandSeq(position(1, seq), 10_000)).toBe(seq);
  }
  expect(expandSeq(position(1, 10_000 + 2048), 10_000)).toBe(10_000 - 2048);
});

test("a seq is never below 0 or above the last one, and always has the position's low bits", () => {
  fc.assert(
    fc.property(fc.nat({ max: 0xffff }), SEQ, (framePosition, expected) => {
      const seq = expandSeq(framePosition, expected);
      expect(seq >= 0 && seq <= LAST_SEQ && seq % 4096 === framePosition % 4096).toBe(true);
    }),
    { seed: SEED, numRuns: 5000 },
  );
  expect(expandSeq(4095, 0)).toBe(4095);
  expect(expandSeq(0, LAST_SEQ)).toBe(LAST_SEQ - 4095);
});

test("an epoch is the newest known one with the position's low four bits, in whatever order they are known", () => {
  expect(matchEpoch(position(17, 5), [1, 17, 2, 16])).toBe(17);
  expect(matchEpoch(position(17, 5), new Set([33, 17]))).toBe(33);
  expect(matchEpoch(position(0xffff_ffff, 5), [0xffff_ffff])).toBe(0xffff_ffff);
  expect(matchEpoch(position(3, 5), [1, 2])).toBeUndefined();
  expect(matchEpoch(position(3, 5), [])).toBeUndefined();
});

test("gap ranges cover exactly what did not arrive, ascending and apart, and no more than was asked for", () => {
  const arrived = fc.array(fc.integer({ min: 90, max: 160 }), { maxLength: 80 });
  fc.assert(
    fc.property(arrived, fc.integer({ min: 95, max: 120 }), fc.nat({ max: 30 }), (received, through, extent) => {
      const next = through + extent;
      const ranges = gapRanges(received, through, next, 100);
      const listed = ranges.flatMap(({ from, count }) => Array.from({ length: count }, (_, i) => from + i));
      const missing = Array.from({ length: extent }, (_, i) => through + i).filter((seq) => !received.includes(seq));
      expect(listed).toEqual(missing);
      expect(
        ranges.every(({ from }, i) => i === 0 || from > (ranges[i - 1]?.from ?? 0) + (ranges[i - 1]?.count ?? 0)),
      ).toBe(true);
      expect(gapRanges(received, through, next)).toEqual(ranges.slice(0, 8));
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

test("gap ranges reach the last seq of an epoch", () => {
  expect(gapRanges([LAST_SEQ - 1], LAST_SEQ - 2, LAST_SEQ + 1)).toEqual([
    { from: LAST_SEQ - 2, count: 1 },
    { from: LAST_SEQ, count: 1 },
  ]);
  expect(gapRanges([], 0, LAST_SEQ + 1)).toEqual([{ from: 0, count: LAST_SEQ + 1 }]);
  expect(gapRanges([], 5, 5)).toEqual([]);
});
