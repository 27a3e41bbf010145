import { expect, test } from "vitest";
import { ManualClock } from "../manual-clock.suite.ts";
import { Pace } from "./pace.ts";

test("what is touched is told at once, then once in each pause, and the last of it when the pause is over", () => {
  const clock = new ManualClock();
  const told: number[] = [];
  const startMs = clock.nowMs();
  const pace = new Pace(clock, 250, () => told.push(clock.nowMs() - startMs));
  for (let ms = 0; ms < 1_000; ms += 10) {
    pace.touch();
    clock.advance(10);
  }
  clock.advance(5_000);
  expect(told).toEqual([0, 250, 500, 750, 1_000]);
});

test("what waits for its pause is told by flush, once", () => {
  const clock = new ManualClock();
  let told = 0;
  const pace = new Pace(clock, 250, () => {
    told += 1;
  });
  pace.flush();
  expect(told).toBe(0);
  pace.touch();
  pace.touch();
  pace.flush();
  pace.flush();
  clock.advance(1_000);
  expect(told).toBe(2);
});
