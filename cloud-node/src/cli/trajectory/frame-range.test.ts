import { expect, test } from "vitest";
import { framesIn, parseFrameRange } from "./frame-range.ts";

test.each([
  ["3", [3]],
  ["-1", [9]],
  ["-10", [0]],
  ["2:5", [2, 3, 4]],
  [":3", [0, 1, 2]],
  ["8:", [8, 9]],
  ["-2:", [8, 9]],
  [":-8", [0, 1]],
  ["::4", [0, 4, 8]],
  ["1:8:3", [1, 4, 7]],
  ["5:5", []],
  ["10", []],
  ["7:99", [7, 8, 9]],
])("%s of ten frames", (text, expected) => {
  const range = parseFrameRange(text);
  expect(range).toBeDefined();
  expect(framesIn(range, 10)).toEqual(expected);
});

test.each(["", "a", "1.5", "1:2:0", "1:2:-1", "1:2:3:4", "1e3", "0x1"])("%o is no range", (text) => {
  expect(parseFrameRange(text)).toBeUndefined();
});

test("no range is all frames", () => {
  expect(framesIn(undefined, 3)).toEqual([0, 1, 2]);
});
