import { expect, test } from "vitest";
import { ManualClock } from "../manual-clock.suite.ts";
import { BackPressure } from "./back-pressure.ts";

function door(longestHoldMs?: number) {
  const told: string[] = [];
  const own = { told, pause: () => void told.push("pause"), resume: () => void told.push("resume") };
  return longestHoldMs === undefined ? own : { ...own, longestHoldMs };
}

test("every way in is held while there is any cause, and let go with the last one", () => {
  const [clock, tcp, line] = [new ManualClock(), door(), door()];
  const pressure = new BackPressure(clock, () => [tcp, undefined, line]);
  pressure.hold("store");
  clock.advance(300);
  pressure.hold("decoding");
  expect(pressure.reading()).toEqual({ causes: ["store", "decoding"], heldMs: 300, times: 1 });
  clock.advance(200);
  pressure.release("store");
  expect(tcp.told).toEqual(["pause"]);
  clock.advance(100);
  pressure.release("decoding");
  pressure.release("decoding");
  clock.advance(1_000);
  for (const { told } of [tcp, line]) expect(told).toEqual(["pause", "resume"]);
  expect(pressure.reading()).toEqual({ causes: [], heldMs: 600, times: 1 });
});

test("a way in whose far end would take the node for dead is let go before, and the cause stays told", () => {
  const [clock, mqtt, tcp] = [new ManualClock(), door(10_000), door()];
  const pressure = new BackPressure(clock, () => [mqtt, tcp]);
  pressure.hold("store");
  clock.advance(9_999);
  expect(mqtt.told).toEqual(["pause"]);
  clock.advance(1);
  expect(mqtt.told).toEqual(["pause", "resume"]);
  expect(tcp.told).toEqual(["pause"]);
  expect(pressure.reading().causes).toEqual(["store"]);
  pressure.release("store");
  pressure.hold("store");
  pressure.release("store");
  clock.advance(60_000);
  expect(mqtt.told).toEqual(["pause", "resume", "resume", "pause", "resume"]);
});

test("what a door lets in may hold them all again: none after it is let go", () => {
  const [clock, tcp, line] = [new ManualClock(), door(), door()];
  let isFirst = true;
  const full = {
    pause: () => tcp.pause(),
    resume: () => {
      tcp.resume();
      if (isFirst) pressure.hold("decoding");
      isFirst = false;
    },
  };
  const pressure: BackPressure = new BackPressure(clock, () => [full, line]);
  pressure.hold("store");
  pressure.release("store");
  expect(tcp.told).toEqual(["pause", "resume", "pause"]);
  expect(line.told).toEqual(["pause", "pause"]);
  expect(pressure.reading().causes).toEqual(["decoding"]);
  pressure.release("decoding");
  expect(tcp.told.at(-1)).toBe("resume");
  expect(line.told.at(-1)).toBe("resume");
});

test("a thread that is late holds devices back until it has caught up, and not for a short delay", () => {
  const [clock, tcp] = [new ManualClock(), door()];
  let lateMs = 0;
  const late = {
    nowMs: () => clock.nowMs() + lateMs,
    unixUs: () => clock.unixUs(),
    setTimer: clock.setTimer.bind(clock),
  };
  const pressure = new BackPressure(late, () => [tcp]);
  pressure.watch();
  lateMs = 200;
  clock.advance(20);
  expect(tcp.told).toEqual([]);
  lateMs += 300;
  clock.advance(20);
  expect(pressure.reading().causes).toEqual(["busy"]);
  clock.advance(20);
  expect(tcp.told).toEqual(["pause", "resume"]);
  expect(pressure.reading()).toEqual({ causes: [], heldMs: 20, times: 1 });
  pressure.close();
  lateMs += 10_000;
  clock.advance(1_000);
  expect(tcp.told).toEqual(["pause", "resume"]);
});
