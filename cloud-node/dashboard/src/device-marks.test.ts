import { expect, test } from "vitest";
import type { ApiEvent } from "../../src/api/schemas/event-schema.ts";
import { eventTimeUs, nextMark } from "./device-marks.ts";

const event = (kind: ApiEvent["kind"], unixUs: number): ApiEvent => ({
  id: unixUs,
  unixUs,
  kind,
  device: "d",
  level: "info",
  text: "",
});

test("a loss belongs to its gap, anything else to when it was told, on the device's clock", () => {
  const gaps = [
    { kind: "gap-lost", fromUs: 1_000, toUs: 2_000 },
    { kind: "gap-lost", fromUs: 5_000, toUs: 6_000 },
    { kind: "gap-lost", fromUs: 90_000, toUs: 91_000 },
  ] as const;
  expect(eventTimeUs(event("gap-lost", 10_000), 500, gaps)).toBe(5_000);
  expect(eventTimeUs(event("online", 10_000), 500, gaps)).toBe(10_500);
  expect(eventTimeUs(event("gap-lost", 10_000), 500, [])).toBe(10_500);
});

test("the next mark is the nearest in its direction, and none is none", () => {
  const marks = [50, 10, 30];
  expect([nextMark(marks, 20, 1), nextMark(marks, 30, 1), nextMark(marks, 30, -1)]).toEqual([30, 50, 10]);
  expect(nextMark(marks, 50, 1)).toBeUndefined();
});
