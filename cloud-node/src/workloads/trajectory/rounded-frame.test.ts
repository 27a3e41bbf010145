import fc from "fast-check";
import { expect, test } from "vitest";
import type { Column, TrajectoryFrame } from "./frame.ts";
import { Melt } from "./melt.suite.ts";
import { realText } from "./number-text.ts";
import { roundFrame } from "./rounded-frame.ts";

const SEED = Number(process.env.SEED ?? 20_261_122);
const FRAME = new Melt({ atoms: 1, frames: 1, interval: 1, seed: 1 }).frame(0);

function rounded(values: readonly number[], decimals: number | undefined): number[] {
  const column: Column = { kind: "real", name: "q", values: Float64Array.from(values) };
  const frame: TrajectoryFrame = { ...FRAME, atoms: values.length, columns: [column] };
  const [found] = roundFrame(frame, new Map([["q", { group: ["q"], mode: "max", eps: 1, decimals }]])).columns;
  return found === undefined || found.kind === "text" ? [] : [...found.values];
}

test("a rounded value is half a unit of its last digit away at most, and its text has no more digits", () => {
  fc.assert(
    fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.nat({ max: 9 }), (value, decimals) => {
      const [found = Number.NaN] = rounded([value], decimals);
      expect(Math.abs(found - value)).toBeLessThanOrEqual(0.5 * 10 ** -decimals + Math.abs(value) * 2 ** -51);
      const text = realText(found);
      if (!text.includes("e")) expect((text.split(".")[1] ?? "").length).toBeLessThanOrEqual(decimals);
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test("what is too large to have such a digit, is no number, or has no bound is as it was", () => {
  const odd = [1e300, -3e20, Number.POSITIVE_INFINITY, Number.NaN];
  expect(rounded(odd, 3)).toEqual(odd);
  expect(rounded([0.123456789], undefined)).toEqual([0.123456789]);
  expect(rounded([-1e-9], 3)).toEqual([0]);
});
