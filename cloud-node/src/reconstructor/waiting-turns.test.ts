import { expect, test } from "vitest";
import { Counters } from "../counters.ts";
import { WaitingTurns } from "./waiting-turns.ts";

function setUp() {
  const [counters, sum, ran] = [new Counters(), { frames: 0, bytes: 0 }, [] as number[]];
  const waits = (frames: number, bytes: number) => {
    sum.frames += frames;
    sum.bytes += bytes;
  };
  return { counters, sum, ran, turns: new WaitingTurns(counters, { waits }) };
}

test("a lane keeps no more than 1 MiB waiting, and all that it keeps is accounted for until its turn", () => {
  const { counters, sum, ran, turns } = setUp();
  expect(turns.wait(10, () => ran.push(0))).toBe(false);
  turns.hold();
  for (let i = 1; i <= 20; i += 1) expect(turns.wait(60_000, () => ran.push(i))).toBe(true);
  expect(sum).toEqual({ frames: 17, bytes: 17 * 60_000 });
  expect(counters.get("frames.beyond-window")).toBe(3);
  turns.release(() => ran.push(0));
  expect(ran).toEqual(Array.from({ length: 18 }, (_, i) => i));
  expect(sum).toEqual({ frames: 0, bytes: 0 });
});

test("what waits is forgotten on demand, and at the end the frame with a thread as well", () => {
  const { sum, ran, turns } = setUp();
  turns.hold();
  turns.wait(7, () => ran.push(1));
  turns.clear();
  expect(sum).toEqual({ frames: 0, bytes: 0 });
  turns.release(() => ran.push(0));
  turns.hold();
  turns.wait(7, () => ran.push(2));
  turns.close();
  turns.release(() => ran.push(3));
  expect(ran).toEqual([0]);
  expect(sum).toEqual({ frames: 0, bytes: 0 });
});
