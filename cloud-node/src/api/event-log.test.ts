import { expect, test } from "vitest";
import { EventLog } from "./event-log.ts";

const ONLINE = { kind: "online", device: "a" } as const;

test("ids rise, within a microsecond and over a clock that steps back", () => {
  const log = new EventLog();
  for (const us of [1_000, 1_000, 1_000, 900, 5_000]) log.add(ONLINE, us);
  expect(log.after(0, 10).map(({ id }) => id)).toEqual([1_000, 1_001, 1_002, 1_003, 5_000]);
  expect(log.lastId).toBe(5_000);
});

test("a reader gets what is after what it has: the newest of them, oldest first", () => {
  const log = new EventLog();
  for (let us = 1; us <= 9; us++) log.add({ kind: "online", device: us % 2 === 0 ? "even" : "odd" }, us);
  expect(log.after(6, 10).map(({ id }) => id)).toEqual([7, 8, 9]);
  expect(log.after(0, 2).map(({ id }) => id)).toEqual([8, 9]);
  expect(log.after(2, 10, "even").map(({ id }) => id)).toEqual([4, 6, 8]);
  expect(log.after(9, 10)).toEqual([]);
});

test("a reader that goes on gets all that it missed, the oldest first", () => {
  const log = new EventLog();
  for (let us = 1; us <= 9; us++) log.add(ONLINE, us);
  const ids = (since: number) => log.next(since, 3).map(({ id }) => id);
  expect([ids(2), ids(5), ids(8), ids(9)]).toEqual([[3, 4, 5], [6, 7, 8], [9], []]);
});

test("what comes with every frame is told once in ten seconds, with what it adds up to", () => {
  const log = new EventLog();
  const clipped = { kind: "saturated", device: "a", epoch: 1, seq: 1, count: 3 } as const;
  for (let us = 0; us < 10_000_000; us += 1_000_000) log.add(clipped, us + 1);
  log.add({ ...clipped, device: "b" }, 5_000_000);
  log.add(clipped, 10_000_002);
  expect(log.after(0, 10).map(({ device, count }) => [device, count])).toEqual([
    ["a", 3],
    ["b", 3],
    ["a", 30],
  ]);
  expect(log.after(0, 10).at(-1)?.text).toContain("30 values");
});

test("it keeps a bounded number", () => {
  const log = new EventLog();
  for (let us = 1; us <= 5_000; us++) log.add(ONLINE, us);
  expect(log.after(0, 100_000)).toHaveLength(2_000);
});
