import { expect, test } from "vitest";
import { linkedSeconds, payingSpeed } from "./link-time.ts";

const PLAIN = { workers: 3, seconds: 0.1, uplink: 4000, downlink: 8000 };
const SMALL = { workers: 3, seconds: 0.12, uplink: 80, downlink: 160 };

test("the line of place 0 carries everybody's contribution in and everybody's round out, behind the computing", () => {
  expect(linkedSeconds(PLAIN, 1000)).toBeCloseTo(0.1 + 24, 12);
  expect(linkedSeconds({ ...PLAIN, workers: 1 }, 1000)).toBeCloseTo(0.1, 12);
});

test("below the speed at which it pays steps are shorter, above it longer", () => {
  const speed = payingSpeed(SMALL, PLAIN);
  expect(speed).toBeCloseTo(23_520 / 0.02, 3);
  expect(linkedSeconds(SMALL, 0.9 * speed)).toBeLessThan(linkedSeconds(PLAIN, 0.9 * speed));
  expect(linkedSeconds(SMALL, 1.1 * speed)).toBeGreaterThan(linkedSeconds(PLAIN, 1.1 * speed));
});

test("what sends less and computes no longer pays at any speed, what sends no less at none", () => {
  expect(payingSpeed({ ...SMALL, seconds: 0.1 }, PLAIN)).toBe(Number.POSITIVE_INFINITY);
  expect(payingSpeed(PLAIN, PLAIN)).toBe(0);
});
