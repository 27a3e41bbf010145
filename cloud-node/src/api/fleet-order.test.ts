import { expect, test } from "vitest";
import { fleetPage } from "./fleet-order.ts";
import type { FleetRow, FleetSort, FleetSummary } from "./schemas/fleet-schema.ts";

const ROW = {
  ...{
    channels: [],
    samples: 0,
    lastDataUs: null,
    behindMs: null,
    ratioPayload: null,
    ratioIp: null,
    errorShare: null,
  },
  ...{ ringFill: 0, ringFullInS: null, lostSamples: 0, lostGaps: 0, p99Ms: null, alerts: [] },
  recent: { t0Us: 0, widthUs: 1, min: [], max: [] },
};
const ROWS: FleetRow[] = [
  { ...ROW, id: "b", state: "live", ratioIp: 5, ringFill: 0.2, behindMs: 10, lastDataUs: 300 },
  { ...ROW, id: "a", state: "live", ratioIp: 9, ringFill: 0.1, behindMs: 500, lastDataUs: 400 },
  { ...ROW, id: "d", state: "fault", ratioIp: null, lostSamples: 3 },
  { ...ROW, id: "c", state: "offline", ratioIp: 0.9, ringFill: 0.2, errorShare: 0.98, lastDataUs: 100 },
  { ...ROW, id: "e", state: "quiet", errorShare: 0.5, lastDataUs: 200 },
];
const SUMMARY = {} as FleetSummary;
const VIEW = { search: "", sort: "severity", order: "asc", page: 0, rows: 50 } as const;

function ids(sort: FleetSort, order: "asc" | "desc" = "asc"): string {
  return fleetPage(SUMMARY, ROWS, { ...VIEW, sort, order })
    .rows.map(({ id }) => id)
    .join("");
}

test.each([
  ["severity", "dceab", "abecd"],
  ["name", "abcde", "edcba"],
  ["saved", "cbade", "abcde"],
  ["ring", "bcade", "deabc"],
  ["behind", "abcde", "bacde"],
  ["last-frame", "cebad", "abecd"],
  ["error", "ceabd", "ecabd"],
  ["lost", "dabce", "abced"],
] as const)("by %s the worst is first, ties go by name, and what is not known comes last", (sort, asc, desc) => {
  expect(ids(sort)).toBe(asc);
  expect(ids(sort, "desc")).toBe(desc);
});

test("a page after the last is empty, and says how many there are", () => {
  expect(fleetPage(SUMMARY, ROWS, { ...VIEW, page: 3, rows: 2 })).toMatchObject({ rows: [], matched: 5, pages: 3 });
  expect(fleetPage(SUMMARY, ROWS, { ...VIEW, state: "live,fault" }).rows.map(({ id }) => id)).toEqual(["d", "a", "b"]);
});
