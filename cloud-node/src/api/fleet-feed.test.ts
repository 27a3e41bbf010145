import { expect, test } from "vitest";
import { applyFleetUpdate, FleetFeed } from "./fleet-feed.ts";
import type { FleetPage, FleetRow, FleetSummary } from "./schemas/fleet-schema.ts";

const ROW: FleetRow = {
  ...{
    id: "a",
    state: "live",
    channels: ["x"],
    samples: 1,
    lastDataUs: 1,
    behindMs: null,
    ratioPayload: 2,
    ratioIp: 3,
  },
  ...{ errorShare: null, ringFill: 0, ringFullInS: null, lostSamples: 0, lostGaps: 0, p99Ms: 4, alerts: [] },
  recent: { t0Us: 0, widthUs: 1, min: [1], max: [2] },
};

function page(...rows: FleetRow[]): FleetPage {
  return { summary: { nowUs: rows.length } as FleetSummary, matched: rows.length, page: 0, pages: 1, rows };
}

test("an update names the rows that are shown, and of each only the cells that changed", () => {
  const feed = new FleetFeed();
  const other = { ...ROW, id: "b" };
  expect(feed.next(page(ROW, other))).toMatchObject({ isWhole: true, ids: ["a", "b"], rows: [ROW, other] });
  const alerts = [{ kind: "offline", text: "gone", sinceUs: 5 } as const];
  const later = feed.next(page({ ...other, channels: ["x"] }, { ...ROW, samples: 9, alerts }));
  expect(later).toMatchObject({ isWhole: false, ids: ["b", "a"] });
  expect(later.rows).toEqual([{ id: "a", samples: 9, alerts }]);
});

test("updates add up to the page: rows come, change, move and go", () => {
  const feed = new FleetFeed();
  const pages = [
    page(ROW),
    page({ ...ROW, id: "b" }, ROW),
    page({ ...ROW, samples: 2 }, { ...ROW, id: "b", behindMs: 7 }),
    page({ ...ROW, id: "b", behindMs: null }),
    page(ROW, { ...ROW, id: "b" }),
  ];
  let seen: FleetPage | undefined;
  for (const now of pages) {
    seen = applyFleetUpdate(seen, feed.next(now));
    expect(seen).toEqual(now);
  }
});
