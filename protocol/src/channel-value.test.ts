import fc from "fast-check";
import { expect, test } from "vitest";
import { channelScale, toValue } from "./channel-value.ts";
import type { ChannelConfig } from "./index.ts";

const SEED = 14;
const CHANNEL: ChannelConfig = {
  name: "x",
  unit: "",
  e: 0,
  lattice: 1,
  historyShift: 0,
  offset: 0,
  mantissa: 1,
  exponent: 0,
  epsMantissa: 0,
  epsExponent: 0,
};

test("a value is (x + offset) · mantissa · 2^exponent, to the last bit by either way", () => {
  const channel = fc.record({
    offset: fc.oneof(fc.integer(), fc.maxSafeInteger()),
    mantissa: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    exponent: fc.integer({ min: -200, max: 200 }),
  });
  fc.assert(
    fc.property(channel, fc.integer(), (numbers, x) => {
      const config = { ...CHANNEL, ...numbers };
      const { scale, offset } = channelScale(config);
      const leftToRight = (x + config.offset) * config.mantissa * 2 ** config.exponent;
      expect(toValue(config, x)).toBe(leftToRight);
      expect((x + offset) * scale).toBe(leftToRight);
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test("Q8.23 and raw counts come out as they are meant", () => {
  expect(toValue({ ...CHANNEL, exponent: -23 }, 2 ** 23 + 1)).toBe(1 + 2 ** -23);
  expect(toValue({ ...CHANNEL, offset: -32_768 }, 0)).toBe(-32_768);
  expect(toValue({ ...CHANNEL, mantissa: 5, exponent: 1 }, -3)).toBe(-30);
});

test.for([
  [3_602_879_701_896_397, -56, 0.05],
  [0, -1100, 0],
  [1, -1074, Number.MIN_VALUE],
  [2 ** 26, -1100, Number.MIN_VALUE],
  [2 ** 25, -1100, 0],
  [3 * 2 ** 25, -1100, 2 * Number.MIN_VALUE],
  [Number.MAX_SAFE_INTEGER, -1100, 2 ** 27 * Number.MIN_VALUE],
  [Number.MAX_SAFE_INTEGER, 971, Number.MAX_VALUE],
  [1, 971, 2 ** 971],
] as const)("eps of %i · 2^%i is %f, rounded once to even", ([epsMantissa, epsExponent, eps]) => {
  expect(channelScale({ ...CHANNEL, epsMantissa, epsExponent }).eps).toBe(eps);
});
