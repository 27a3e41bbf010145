import { expect, test } from "vitest";
import { ManualClock } from "../manual-clock.suite.ts";
import { DeviceRates, deviceRateLimits } from "./device-rates.ts";

const LIMITS = deviceRateLimits(5_000, 1_000_000);

/** How many messages of so many bytes are taken at one moment. */
function taken(rates: DeviceRates, device: object, bytes: number): number {
  let count = 0;
  while (count < 1_000_000 && rates.over(device, bytes) === undefined) count += 1;
  return count;
}

test("a device may send two seconds of its rate at once, and then its rate", () => {
  const clock = new ManualClock();
  const [rates, device] = [new DeviceRates(LIMITS, clock), {}];
  expect(taken(rates, device, 10)).toBe(10_000);
  expect(rates.over(device, 10)).toBe("frames");
  clock.advance(100);
  expect(taken(rates, device, 10)).toBe(500);
  clock.advance(3_600_000);
  expect(taken(rates, device, 10)).toBe(10_000);
});

test("bytes have a limit of their own", () => {
  const clock = new ManualClock();
  const [rates, device] = [new DeviceRates(LIMITS, clock), {}];
  expect(taken(rates, device, 1_000)).toBe(2_000);
  expect(rates.over(device, 1_000)).toBe("bytes");
  expect(rates.over(device, 0)).toBeUndefined();
});

test("one device's excess costs no other anything", () => {
  const rates = new DeviceRates(LIMITS, new ManualClock());
  const [greedy, modest] = [{}, {}];
  taken(rates, greedy, 10);
  expect(rates.over(modest, 10)).toBeUndefined();
});

test("however low the rate, the window that a device sends without an answer fits", () => {
  const rates = new DeviceRates(deviceRateLimits(1, 1), new ManualClock());
  expect(taken(rates, {}, 60)).toBeGreaterThanOrEqual(2_048);
});
