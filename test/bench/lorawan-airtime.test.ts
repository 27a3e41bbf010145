import { expect, test } from "vitest";
import {
  airtimeMs,
  DR0_PAYLOAD_BYTES,
  EU868_DR0,
  EU868_DUTY_CYCLE,
  LORAWAN_OVERHEAD_BYTES,
} from "./lorawan-airtime.ts";

test.each([
  [7, 10, 41.216],
  [9, 13, 164.864],
  [11, 10, 577.536],
])("a packet is as long on air as published calculators say: SF%i, %i bytes, %f ms", (spreadingFactor, bytes, ms) => {
  expect(airtimeMs({ spreadingFactor, bandwidthHz: 125_000 }, bytes)).toBeCloseTo(ms, 3);
});

test("at the slowest data rate, the duty cycle leaves a dozen full messages an hour", () => {
  const ms = airtimeMs(EU868_DR0, LORAWAN_OVERHEAD_BYTES + DR0_PAYLOAD_BYTES);
  expect(ms).toBeCloseTo(2793.472, 3);
  expect(Math.floor((3_600_000 * EU868_DUTY_CYCLE) / ms)).toBe(12);
});
