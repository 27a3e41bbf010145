import { expect, test } from "vitest";
import { SymbolCounts } from "./symbol-counts.ts";

function counted(...symbols: number[]): SymbolCounts {
  const counts = new SymbolCounts();
  for (const symbol of symbols) counts.add(symbol);
  return counts;
}

test.each([
  ["nothing", [], 0, 0],
  ["one symbol, however often", [5, 5, 5, 5, 5], 0, 1],
  ["two as often as each other", [0, 1, 1, 0], 1, 2],
  ["a half and two quarters", [7, -3, 7, 9], 1.5, 3],
  ["eight as often as each other", [0, 1, 2, 3, 4, 5, 6, 7], 3, 8],
])("the entropy of %s is what the formula says", (_, symbols, bits, distinct) => {
  const counts = counted(...symbols);
  expect(counts.entropyBits).toBeCloseTo(bits, 12);
  expect(counts.distinct).toBe(distinct);
});
