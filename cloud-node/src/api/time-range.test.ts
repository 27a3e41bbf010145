import { expect, test } from "vitest";
import { parseRange, parseTimeUs, within } from "./time-range.ts";

const SPAN = { fromUs: 10_000_000_000, toUs: 20_000_000_000 };

test.each([
  ["0", 0],
  ["1777593600000001", 1_777_593_600_000_001],
  ["2026-05-01", 1_777_593_600_000_000],
  ["2026-05-01T00:00:00Z", 1_777_593_600_000_000],
  ["2026-05-01 02:00+02:00", 1_777_593_600_000_000],
  ["2026-05-01t00:00:00.0000015z", 1_777_593_600_000_001],
  ["2024-02-29", 1_709_164_800_000_000],
])("%s is a time", (text, us) => {
  expect(parseTimeUs("from", text)).toBe(us);
});

test.each([
  "",
  " ",
  "-1",
  "+1",
  "1.5",
  "1e6",
  "0x10",
  "NaN",
  "Infinity",
  "now",
  "2026-13-01",
  "2026-02-29",
  "2026-05-01T24:30:00Z",
])("%j is no time", (text) => {
  expect(() => parseTimeUs("from", text)).toThrow(expect.objectContaining({ code: "bad-parameter" }));
});

test("what is left out of a range is its end, and the hour before it", () => {
  expect(parseRange(undefined, undefined, SPAN, 0)).toEqual({ fromUs: SPAN.toUs - 3_600_000_000, toUs: SPAN.toUs });
  expect(parseRange(undefined, "5000000000", SPAN, 0)).toEqual({ fromUs: 1_400_000_000, toUs: 5_000_000_000 });
  expect(parseRange(undefined, "5", SPAN, 0)).toEqual({ fromUs: 0, toUs: 5 });
  expect(parseRange("7", undefined, SPAN, 0)).toEqual({ fromUs: 7, toUs: SPAN.toUs });
  expect(parseRange(undefined, undefined, undefined, 4_000_000_000)).toEqual({
    fromUs: 400_000_000,
    toUs: 4_000_000_000,
  });
  expect(parseRange("30000000000", undefined, SPAN, 0)).toEqual({ fromUs: 30_000_000_000, toUs: 30_000_000_000 });
});

test("a range is cut to what there is; outside there is nothing", () => {
  expect(within({ fromUs: 0, toUs: 15_000_000_000 }, SPAN)).toEqual({ fromUs: SPAN.fromUs, toUs: 15_000_000_000 });
  expect(within({ fromUs: SPAN.toUs, toUs: SPAN.toUs + 1 }, SPAN)).toBeUndefined();
  expect(within({ fromUs: 0, toUs: SPAN.fromUs }, SPAN)).toBeUndefined();
  expect(within(SPAN, undefined)).toBeUndefined();
});
