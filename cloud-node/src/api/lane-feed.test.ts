import { Loopback } from "@lockstep/edge-sdk";
import { expect, test, vi } from "vitest";
import { openDevice, PERIOD_NS, SeededRandom, signal } from "../test-device.suite.ts";
import { ApiRig, closeRigsAfterEach } from "./api-rig.suite.ts";
import { LaneFeed, type LaneUpdate } from "./lane-feed.ts";

closeRigsAfterEach();

const LIMIT_MS = 20_000;
const PERIOD_US = PERIOD_NS / 1000;

const rows = (count: number) => {
  const random = new SeededRandom(3);
  return Array.from({ length: count }, (_, n) => signal(random, n));
};

test("what a twin expects is told sample by sample from the last confirmed one on, and never as confirmed", async () => {
  const rig = await ApiRig.open();
  await rig.device("rotor", rows(200));
  const feed = new LaneFeed();
  let update: LaneUpdate | undefined;
  await vi.waitFor(() => {
    const view = rig.node.device("rotor");
    update = (view && feed.next(view)) ?? update;
    expect(update?.extrapolated.times.length).toBeGreaterThan(20);
  }, LIMIT_MS);
  const { times = [], values = [] } = update?.extrapolated ?? {};
  times.forEach((time, i) => {
    const after = time - (update?.confirmedUs ?? 0);
    expect(Math.abs(after - (i + 1) * PERIOD_US)).toBeLessThanOrEqual(1);
  });
  expect(values.map((column) => column.length)).toEqual([times.length, times.length]);
  expect(update?.lanes.flatMap((lane) => lane.times).filter((time) => time > (update?.confirmedUs ?? 0))).toEqual([]);
});

test("while frames are missing that were asked for, the lane says from when on, and no more once they are there", async () => {
  const rig = await ApiRig.open();
  const loopback = new Loopback();
  rig.node.attach(loopback);
  const session = await openDevice({ device: "pump", transport: loopback.transport, random: new SeededRandom(5) });
  for (const row of rows(100)) session.push(row);
  session.flush();
  expect(await session.drained(LIMIT_MS)).toBe(true);
  const view = rig.node.device("pump");
  if (view === undefined) throw new RangeError("not born");
  const feed = new LaneFeed();
  expect(feed.next(view)?.pendingUs).toBeNull();
  const missing = { ...view, status: "catching-up" } as const;
  expect(feed.next(missing)?.pendingUs).toBe(view.confirmed.timeUs + PERIOD_US);
  expect(feed.next(view)?.pendingUs).toBeNull();
  await session.close();
});
