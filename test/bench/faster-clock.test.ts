import { ManualClock } from "@lockstep/sim";
import { expect, test } from "vitest";
import { fasterClock } from "./faster-clock.ts";

test("a faster clock fires a timer when its own time has come, and agrees with itself on how late it is", async () => {
  const clock = new ManualClock(7_000_000);
  const faster = fasterClock(clock, 5);
  const fired: number[] = [];
  faster.setTimer(() => fired.push(faster.nowMs(), faster.unixUs()), 1_000);
  await clock.advance(199);
  expect(fired).toEqual([]);
  await clock.advance(1);
  expect(fired).toEqual([1_000, 8_000_000]);
});
