import { expect, test } from "vitest";
import { dateAndTime, durationText, isoTime, tickText, timeOfDay, timeTicks } from "./time-text.ts";

const AT_US = Date.UTC(2026, 4, 1, 10, 24, 27, 990) * 1000 + 999;

test("a time is cut off, never rounded up to one that is not there yet", () => {
  expect(timeOfDay(AT_US, "utc")).toBe("10:24:27");
  expect(timeOfDay(AT_US, "utc", 1)).toBe("10:24:27.9");
  expect(dateAndTime(AT_US, "utc", 3)).toBe("2026-05-01 10:24:27.990");
  expect(isoTime(AT_US)).toBe("2026-05-01T10:24:27.990Z");
  expect(timeOfDay(Number.NaN, "utc")).not.toContain("NaN");
});

test.each([
  [10_000, "10 ms"],
  [640_000, "640 ms"],
  [1_280_000, "1.28 s"],
  [10_000_000, "10 s"],
  [100_000_000, "100 s"],
  [240_000_000, "4 min"],
  [12_600_000_000, "3.5 h"],
  [2_592_000_000_000, "30 d"],
])("%d µs is %s", (us, text) => {
  expect(durationText(us)).toBe(text.replace(" ", "\u202f"));
});

test("ticks are whole instants, no more than there is room for, whatever the zoom", () => {
  const fromS = AT_US / 1e6;
  for (const length of [0.005, 0.1, 1, 10, 61, 3600, 86_400, 4e6, 3e8]) {
    const { stepS, atS } = timeTicks(fromS, fromS + length, 10, "utc");
    expect(atS.length).toBeLessThanOrEqual(11);
    expect(atS.length).toBeGreaterThan(0);
    for (const at of atS) expect(Math.abs(at / stepS - Math.round(at / stepS))).toBeLessThan(1e-3);
    const texts = atS.map((at) => tickText(at, stepS, "utc"));
    expect(new Set(texts).size, texts.join(" ")).toBe(texts.length);
  }
});
