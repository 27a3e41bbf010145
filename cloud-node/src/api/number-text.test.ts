import { expect, test } from "vitest";
import {
  formatAge,
  formatCounted,
  formatErrorShare,
  formatFill,
  formatNumber,
  formatQuantity,
  formatRatio,
  formatValue,
} from "./number-text.ts";

const plain = (text: string): string => text.replaceAll("\u202f", " ");

test("savings are rounded down, errors and fill up: against ourselves", () => {
  expect(formatRatio(24.49)).toBe("24.4×");
  expect(formatRatio(9.999)).toBe("9.99×");
  expect(formatRatio(0.929)).toBe("▲ 0.929×");
  expect(formatErrorShare(0.981)).toBe("0.99");
  expect(formatErrorShare(0.98)).toBe("0.98");
  expect(plain(formatFill(0.011))).toBe("2 %");
});

test("numbers have three significant digits, and thousands are apart", () => {
  expect(formatNumber(0)).toBe("0");
  expect(formatNumber(0.0123456)).toBe("0.0123");
  expect(formatNumber(9.996)).toBe("10.0");
  expect(plain(formatNumber(123456))).toBe("123 456");
  expect(formatNumber(Number.NaN)).toBe("–");
});

test("units take SI prefixes where they can, and 1 kB is 1000 B", () => {
  expect(plain(formatQuantity(2490, "B/s"))).toBe("2.49 kB/s");
  expect(plain(formatQuantity(0.042, "s"))).toBe("42.0 ms");
  expect(plain(formatQuantity(1234, "°C"))).toBe("1 234 °C");
  expect(plain(formatQuantity(12, "B"))).toBe("12 B");
});

test("a value has the decimals that its bound vouches for, and no negative zero", () => {
  expect(formatValue(0.4213, 0.05)).toBe("0.42");
  expect(formatValue(107.3, 5.2)).toBe("107");
  expect(formatValue(-0.001, 0.05)).toBe("0.00");
});

test("ages are told in the unit that a person would use", () => {
  expect([500, 12_000, 240_000, 3 * 3_600_000, 5 * 86_400_000].map(formatAge).map(plain)).toEqual([
    "now",
    "12 s",
    "4 min",
    "3 h",
    "5 d",
  ]);
});

test("one is told as one", () => {
  expect([0, 1, 2].map((count) => formatCounted(count, "sample"))).toEqual(["0 samples", "1 sample", "2 samples"]);
});
