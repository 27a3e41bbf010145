import { expect, test } from "vitest";
import { NO_ROW } from "./exact-search.ts";
import { listBalance } from "./list-balance.ts";
import { recallAt } from "./recall.ts";

const exact = { ids: Uint32Array.of(1, 2, 3, 4, 5, 6), width: 3 };

test("recall at k is the share of the k nearest among the first k found, in whatever order", () => {
  const found = { ids: Uint32Array.of(2, 1, 9, 9, 4, 5, 6, 9), width: 4 };
  expect(recallAt(1, exact, found)).toBe(0.5);
  expect(recallAt(2, exact, found)).toBe(1);
  expect(recallAt(3, exact, found)).toBe(5 / 6);
});

test("what was not found is no hit, and what does not exist is not wanted", () => {
  expect(recallAt(3, exact, { ids: new Uint32Array(6).fill(NO_ROW), width: 3 })).toBe(0);
  const few = { ids: Uint32Array.of(1, NO_ROW, NO_ROW), width: 3 };
  expect(recallAt(3, few, few)).toBe(1);
});

test("recall of no query is unknown", () => {
  const none = { ids: new Uint32Array(0), width: 3 };
  expect(recallAt(1, none, none)).toBeNaN();
});

test("lists of one size are even; unevenness is how much longer a vector's own list is than the mean", () => {
  expect(listBalance(Uint32Array.of(5, 5, 5))).toMatchObject({ unevenness: 1, mean: 5, empty: 0, largest: 5 });
  // 6 vectors: 2 in a list of 2, 4 in one of 4; (2 x 2 + 4 x 4) / 6 over a mean of 2.
  expect(listBalance(Uint32Array.of(4, 0, 2))).toEqual({
    ...{ lists: 3, empty: 1, smallest: 0, median: 2, largest: 4, mean: 2 },
    unevenness: 20 / 6 / 2,
  });
  expect(listBalance(Uint32Array.of(0))).toMatchObject({ unevenness: 1, empty: 1 });
});
