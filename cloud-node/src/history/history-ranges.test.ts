import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type History, openHistory } from "./history.ts";
import { HistoryThread } from "./history-thread.ts";
import { KeptStore } from "./kept-store.suite.ts";
import { ScriptedDevice } from "./scripted-device.suite.ts";

const PERIOD_US = 10_000;
const START_US = 1_700_000_000_000_000;
const GAP_FRAMES = 3;
let folder = "";
let kept: KeptStore;
let history: History;

/** Ten frames of 40 samples, three lost, ten more; the last one has flags. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-history-"));
  kept = new KeptStore(file());
  const device = new ScriptedDevice({ seed: 3, startUs: START_US });
  kept.birth(device);
  kept.receive(device, device.keyframe());
  for (let i = 0; i < 9; i++) kept.receive(device, device.residual());
  device.skip(GAP_FRAMES);
  kept.giveUp(device);
  kept.receive(device, device.keyframe());
  for (let i = 0; i < 8; i++) kept.receive(device, device.residual());
  kept.receive(device, device.residual(true));
  await kept.commit();
  history = await openHistory(file());
});

afterEach(async () => {
  history.close();
  await kept.close();
  rmSync(folder, { recursive: true });
});

const file = () => join(folder, "store.db");
const FRAME_US = 40 * PERIOD_US;
const END_US = START_US + (20 + GAP_FRAMES) * FRAME_US;
const ALL = { fromUs: START_US, toUs: END_US };

test("the span goes from the first sample to a period after the last", () => {
  expect(history.span("unit")).toEqual(ALL);
});

test("a range that is reversed or no numbers is refused with what to do", () => {
  for (const range of [
    { fromUs: 2, toUs: 1 },
    { fromUs: Number.NaN, toUs: 1 },
    { fromUs: 0, toUs: Number.NaN },
  ]) {
    const refusal = expect.objectContaining({ name: "HistoryError", code: "bad-range" });
    expect(() => history.runs("unit", range)).toThrow(refusal);
    expect(() => history.buckets("unit", range, 10)).toThrow(refusal);
    expect(() => [...history.rows("unit", range)]).toThrow(refusal);
  }
});

test("a range without samples is empty: before, after, or of no length", () => {
  for (const range of [
    { fromUs: 0, toUs: START_US },
    { fromUs: END_US, toUs: END_US + 1e15 },
    { fromUs: START_US + 5, toUs: START_US + 5 },
  ]) {
    expect([...history.rows("unit", range)]).toEqual([]);
    expect(history.buckets("unit", range, 10)).toMatchObject({ count: 0, runs: [] });
  }
});

test("a range however large gives what is kept", () => {
  const range = { fromUs: Number.NEGATIVE_INFINITY, toUs: Number.POSITIVE_INFINITY };
  const rows = [...history.rows("unit", range)].reduce((sum, { timesUs }) => sum + timesUs.length, 0);
  expect(rows).toBe(800);
  const { count, samples, widthUs, fromUs } = history.buckets("unit", { fromUs: -1e300, toUs: 1e300 }, 8);
  expect(samples.reduce((sum, n) => sum + n, 0)).toBe(800);
  expect(count).toBeLessThanOrEqual(8);
  expect(fromUs % widthUs).toBe(0);
  expect(Math.log2(widthUs / PERIOD_US) % 1).toBe(0);
});

test("bucket counts and channels that make no sense are refused", () => {
  for (const count of [0, -1, 1.5, 65_537, Number.NaN]) {
    expect(() => history.buckets("unit", ALL, count)).toThrow(expect.objectContaining({ code: "bad-bucket-count" }));
  }
  for (const channel of [-1, 3, 0.5]) {
    expect(() => history.buckets("unit", ALL, 10, [channel])).toThrow(
      expect.objectContaining({ code: "unknown-channel" }),
    );
  }
  expect(() => history.span("nobody")).toThrow(expect.objectContaining({ code: "unknown-device" }));
});

test("channels that are asked for are the same as among all, in the order asked for", () => {
  const all = history.buckets("unit", ALL, 50).channels;
  expect(history.buckets("unit", ALL, 50, [2, 0]).channels).toEqual([all[2], all[0]]);
});

test("runs say what is lost, to the sample, and which samples are flagged", () => {
  const runs = history.runs("unit", ALL);
  const gap = { kind: "gap-lost", channel: null, fromUs: START_US + 10 * FRAME_US, toUs: START_US + 13 * FRAME_US };
  expect(runs[0]).toEqual(gap);
  const flagged = kept.truth.flatMap(({ timeUs, statuses }) =>
    statuses.flatMap((status, channel) => (status === 0 ? [] : [`${channel} ${status} ${timeUs}`])),
  );
  const told = runs.slice(1).flatMap(({ kind, channel, fromUs, toUs }) => {
    const count = Math.round((toUs - fromUs) / PERIOD_US);
    const status = kind === "invalid" ? 1 : 2;
    return Array.from({ length: count }, (_, i) => `${channel} ${status} ${fromUs + i * PERIOD_US}`);
  });
  expect(told.toSorted()).toEqual(flagged.toSorted());
  expect(flagged.length).toBeGreaterThan(2);
  const inside = { fromUs: gap.fromUs + 1, toUs: gap.toUs - 1 };
  expect(history.runs("unit", inside)).toEqual([{ ...gap, ...inside }]);
});

test("a gap that no keyframe has ended is pending to the end of the range", async () => {
  const device = new ScriptedDevice({ seed: 4, epoch: 2, startUs: END_US });
  kept.birth(device);
  kept.receive(device, device.keyframe());
  device.skip(1);
  kept.giveUp(device);
  await kept.commit();
  const [pending] = history.runs("unit", { fromUs: END_US, toUs: END_US + 10 * FRAME_US });
  expect(pending).toEqual({
    kind: "gap-pending",
    channel: null,
    fromUs: END_US + FRAME_US,
    toUs: END_US + 10 * FRAME_US,
  });
});

test("the thread answers as the history does, with its errors, and ends when it is told", async () => {
  const thread = new HistoryThread(file());
  expect(await thread.span("unit")).toEqual(history.span("unit"));
  expect(await thread.epochs("unit")).toEqual(history.epochs("unit"));
  expect(await thread.gapsAfter("unit", undefined, 9)).toEqual(history.gapsAfter("unit", undefined, 9));
  expect(await thread.traffic("unit", 0, 1e9)).toEqual(history.traffic("unit", 0, 1e9));
  const past = { fromUs: 0, toUs: 1 };
  expect(await thread.nearest("unit", past)).toEqual(history.nearest("unit", past));
  expect(await thread.birth("unit")).toEqual(history.birth("unit", 1));
  await expect(thread.birth("unit", 9)).rejects.toMatchObject({ code: "unknown-device" });
  expect(await thread.runs("unit", ALL)).toEqual(history.runs("unit", ALL));
  expect(await thread.buckets("unit", ALL, 20, [1])).toEqual(history.buckets("unit", ALL, 20, [1]));
  await expect(thread.span("nobody")).rejects.toMatchObject({ name: "StoreError", code: "unknown-device" });
  await expect(thread.buckets("unit", ALL, 0)).rejects.toMatchObject({
    name: "HistoryError",
    code: "bad-bucket-count",
  });
  const blocks = [];
  for await (const block of thread.rows("unit", ALL)) blocks.push(block);
  expect(blocks).toEqual([...history.rows("unit", ALL)]);
  for await (const block of thread.rows("unit", ALL)) {
    expect(block.channels).toBe(3);
    break;
  }
  const late = expect(thread.span("unit")).rejects.toMatchObject({ code: "closed" });
  await thread.close();
  await late;
  await expect(thread.span("unit")).rejects.toMatchObject({ code: "closed" });
});
