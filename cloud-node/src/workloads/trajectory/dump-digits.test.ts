import { expect, test } from "vitest";
import { groupColumns } from "./column-groups.ts";
import { noteDigits } from "./dump-digits.ts";
import { parseEpsRules } from "./eps-rules.ts";
import type { TrajectoryFrame } from "./frame.ts";
import { Melt } from "./melt.suite.ts";

const FRAME = new Melt({ atoms: 3, frames: 1, interval: 1, seed: 9 }).frame(0);

function notesOf(values: readonly number[], eps: string) {
  const frame: TrajectoryFrame = {
    ...FRAME,
    columns: [{ kind: "real", name: "xu", values: Float64Array.from(values) }],
  };
  return noteDigits(frame, groupColumns(frame, parseEpsRules(eps), "max"));
}

test("a bound below half the last of six digits is told of, and no other", () => {
  expect(notesOf([1.23456, 16.7962, -3], "x=1e-5")).toEqual([{ columns: ["xu"], eps: 1e-5, rounding: 5e-5 }]);
  expect(notesOf([1.23456, 16.7962, -3], "x=1e-4")).toEqual([]);
  expect(notesOf([1.23456789, 16.7962, -3], "x=1e-5")).toEqual([]);
  expect(notesOf([0, 0, 0], "x=1e-5")).toEqual([]);
});
