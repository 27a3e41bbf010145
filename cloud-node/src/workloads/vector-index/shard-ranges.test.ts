import { expect, test } from "vitest";
import { shardRanges } from "./shard-ranges.ts";

test.for([
  [[5, 5, 5, 5], 2, [0, 2, 4]],
  [[100, 1, 1, 1], 2, [0, 1, 4]],
  [[1, 1, 1, 100], 2, [0, 3, 4]],
  [[3, 3, 3], 1, [0, 3]],
  [[4, 0, 0, 4], 2, [0, 1, 4]],
  [[7], 3, [0, 0, 1, 1]],
] as const)("lists of %o rows among %d shards: borders at %o", ([sizes, shards, borders]) => {
  const ranges = shardRanges(Uint32Array.from(sizes), shards);
  expect([0, ...ranges.map(({ to }) => to)]).toEqual(borders);
  expect(ranges.map(({ from }) => from)).toEqual(borders.slice(0, -1));
});
