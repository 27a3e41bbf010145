import { expect, test } from "vitest";
import { seededRandom } from "../seeded-random.ts";
import { SampleRanges } from "./sample-ranges.ts";

test("ranges that touch or overlap become one", () => {
  const ranges = new SampleRanges();
  ranges.add(5, 7);
  ranges.add(0, 2);
  ranges.add(2, 3);
  ranges.add(3, 3);
  expect([...ranges]).toEqual([
    { from: 0, to: 3 },
    { from: 5, to: 7 },
  ]);
  ranges.add(1, 6);
  expect([...ranges]).toEqual([{ from: 0, to: 7 }]);
});

test("whatever is added in whatever order, it holds exactly the same numbers as a set", () => {
  const random = seededRandom(8);
  for (let round = 0; round < 50; round += 1) {
    const [ranges, set] = [new SampleRanges(), new Set<number>()];
    for (let i = 0; i < 20; i += 1) {
      const from = random.uint32() % 100;
      const to = from + (random.uint32() % 12);
      ranges.add(from, to);
      for (let sample = from; sample < to; sample += 1) set.add(sample);
    }
    expect(ranges.count).toBe(set.size);
    for (let sample = 0; sample < 120; sample += 1) expect(ranges.has(sample)).toBe(set.has(sample));
  }
});
