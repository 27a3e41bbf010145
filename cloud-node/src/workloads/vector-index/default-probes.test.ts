import { expect, test } from "vitest";
import { defaultProbes } from "./default-probes.ts";

test.for([
  [1, 1],
  [7, 7],
  [50, 8],
  [128, 8],
  [129, 9],
  [1600, 100],
] as const)("of %d lists a query visits %d: a sixteenth, 8 at least, and no more than there are", ([m, probes]) => {
  expect(defaultProbes(m)).toBe(probes);
});
