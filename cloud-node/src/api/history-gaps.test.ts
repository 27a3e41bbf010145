import { Loopback } from "@lockstep/edge-sdk";
import { expect, test } from "vitest";
import { openDevice, PERIOD_NS, SeededRandom, signal } from "../test-device.suite.ts";
import { ApiRig, closeRigsAfterEach } from "./api-rig.suite.ts";
import { HistoryAccess } from "./history-access.ts";
import { runsOf } from "./history-answer.ts";
import { chooseChannels } from "./history-channels.ts";
import type { BucketsAnswer, RowsAnswer } from "./schemas/history-schema.ts";

closeRigsAfterEach();

const LIMIT_MS = 20_000;
const PERIOD_US = PERIOD_NS / 1000;
const START_US = 1_700_000_000_000_000;

interface Gaps {
  readonly declared: readonly { readonly samples: number; readonly reason: string }[];
  readonly runs: readonly { readonly kind: string; readonly fromUs: number; readonly toUs: number }[];
  readonly lostSamples: number;
}

test("what a device dropped from its full ring is one gap, as long as what is lost, and no row is made up in it", async () => {
  const rig = await ApiRig.open();
  const loopback = new Loopback();
  const leave = rig.node.attach(loopback);
  const random = new SeededRandom(9);
  const session = await openDevice({ device: "pump", transport: loopback.transport, random, ringBytes: 4_096 });
  const push = (from: number, to: number) => {
    for (let n = from; n < to; n++) session.push(signal(random, n), START_US + n * PERIOD_US);
    session.flush();
  };
  push(0, 400);
  expect(await session.drained(LIMIT_MS)).toBe(true);
  leave();
  push(400, 20_000);
  rig.node.attach(loopback);
  expect(await session.drained(LIMIT_MS)).toBe(true);
  const lost = session.stats().evictedSamples;
  expect(lost).toBeGreaterThan(0);
  await session.close();

  const gaps = await rig.json<Gaps>("/devices/pump/gaps");
  expect(gaps).toMatchObject({ declared: [{ samples: lost, reason: "evicted" }], lostSamples: lost });
  const [run] = gaps.runs;
  expect(gaps.runs).toHaveLength(1);
  expect([run?.kind, (run?.toUs ?? 0) - (run?.fromUs ?? 0)]).toEqual(["gap-lost", lost * PERIOD_US]);
  const rows = await rig.json<RowsAnswer>("/devices/pump/history?rate=full&from=0");
  expect(rows.timesUs).toHaveLength(20_000 - lost);
  expect(rows.timesUs.filter((time) => time >= (run?.fromUs ?? 0) && time < (run?.toUs ?? 0))).toEqual([]);
  const { runs, channels, t0Us, widthUs } = await rig.json<BucketsAnswer>("/devices/pump/history?buckets=500&from=0");
  expect(runs).toEqual([{ kind: "gap-lost", channel: null, fromUs: run?.fromUs, toUs: run?.toUs }]);
  channels[0]?.first.forEach((value, bucket) => {
    const fromUs = t0Us + bucket * (widthUs ?? 0);
    if (fromUs >= (run?.fromUs ?? 0) && fromUs + (widthUs ?? 0) <= (run?.toUs ?? 0)) expect(value).toBeNull();
  });
  const before = await rig.json<Gaps>(`/devices/pump/gaps?from=0&to=${run?.fromUs}`);
  expect(before.runs).toEqual([]);
  expect(before.lostSamples).toBe(lost);
});

test("what was asked for again is a pending gap, from the last confirmed sample to now by the device's clock", async () => {
  const rig = await ApiRig.open();
  await rig.device(
    "pump",
    Array.from({ length: 100 }, (_, n) => signal(new SeededRandom(n), n)),
  );
  const whole = rig.node.device("pump");
  if (whole === undefined) throw new RangeError("not born");
  const history = new HistoryAccess(rig.node.history);
  const channels = chooseChannels(whole.birth, () => whole.birth);
  const offsetUs = 500_000_000;
  const nowUs = whole.confirmed.timeUs + 10_000_000;
  const range = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER };
  const ask = (status: "live" | "gap" | "catching-up" | "offline", toUs = range.toUs) =>
    runsOf(history, {
      ...{
        view: { ...whole, status, clockOffsetUs: offsetUs },
        range: { ...range, toUs },
        span: undefined,
        channels,
        nowUs,
      },
    });
  const pending = {
    ...{ kind: "gap-pending", channel: null, fromUs: whole.confirmed.timeUs + PERIOD_US, toUs: nowUs + offsetUs },
  };
  expect(await ask("gap")).toEqual([pending]);
  expect(await ask("catching-up")).toEqual([pending]);
  expect(await ask("gap", pending.fromUs)).toEqual([]);
  expect(await ask("live")).toEqual([]);
  expect(await ask("offline")).toEqual([]);
});

test("declared gaps and their runs come page by page, each once and in order, and every page counts them all", async () => {
  const rig = await ApiRig.open();
  const loopback = new Loopback();
  let leave = rig.node.attach(loopback);
  const random = new SeededRandom(4);
  const session = await openDevice({ device: "pump", transport: loopback.transport, random, ringBytes: 4_096 });
  let next = 0;
  const push = (count: number) => {
    for (let i = 0; i < count; i++, next++) session.push(signal(random, next), START_US + next * PERIOD_US);
    session.flush();
  };
  for (let gap = 0; gap < 5; gap++) {
    push(100);
    expect(await session.drained(LIMIT_MS)).toBe(true);
    leave();
    push(4_000);
    leave = rig.node.attach(loopback);
    expect(await session.drained(LIMIT_MS)).toBe(true);
  }
  await session.close();
  interface Page extends Gaps {
    readonly declaredGaps: number;
    readonly pendingGaps: number;
    readonly pendingUs: number;
    readonly next: string | null;
  }
  const all = await rig.json<Page>("/devices/pump/gaps");
  expect([all.declared.length, all.runs.length, all.declaredGaps, all.next]).toEqual([5, 5, 5, null]);
  expect(all.lostSamples).toBe(all.declared.reduce((sum, { samples }) => sum + samples, 0));
  for (const limit of [1, 2, 3, 5, 6]) {
    const pages: Page[] = [];
    for (let cursor: string | null = ""; cursor !== null; cursor = pages.at(-1)?.next ?? null) {
      const page = await rig.json<Page>(`/devices/pump/gaps?limit=${limit}${cursor === "" ? "" : `&cursor=${cursor}`}`);
      pages.push(page);
      expect(pages.length).toBeLessThan(8);
    }
    expect(pages.length, `pages of ${limit}`).toBe(Math.ceil(5 / limit));
    expect(pages.flatMap(({ declared }) => declared)).toEqual(all.declared);
    expect(pages.flatMap(({ runs }) => runs)).toEqual(all.runs);
    for (const { lostSamples, declaredGaps } of pages)
      expect([lostSamples, declaredGaps]).toEqual([all.lostSamples, 5]);
  }
  for (const query of ["limit=0", "limit=10001", "cursor=x", "cursor=1-2", "cursor=.", "cursor=-1-1.0", "cursor="])
    expect((await rig.get(`/api/v1/devices/pump/gaps?${query}`)).status, query).toBe(400);
  expect(await rig.json<Page>("/devices/pump/gaps?cursor=99-99.99")).toMatchObject({
    declared: [],
    runs: [],
    next: null,
  });
  // What is awaited is the newest, on the last page; the first one says so already.
  const waiting = new Proxy(rig.node, {
    get: (node, name) => {
      if (name === "device") return (id: string) => ({ ...node.device(id), status: "gap" });
      const value: unknown = Reflect.get(node, name, node);
      return typeof value === "function" ? value.bind(node) : value;
    },
  });
  const beside = await rig.beside(waiting);
  for (const [query, runs] of [
    ["limit=1", 1],
    ["limit=10", 6],
  ] as const) {
    const page = await beside.json<Page>(`/devices/pump/gaps?${query}`);
    expect([page.runs.length, page.pendingGaps], query).toEqual([runs, 1]);
    expect(page.pendingUs).toBeGreaterThan(0);
  }
  expect([all.pendingGaps, all.pendingUs]).toEqual([0, 0]);
  // Between two samples there is none, and it is said where there are some, and how long they are kept.
  const [run] = all.runs;
  const empty = `from=${(run?.fromUs ?? 0) + 2_000_000}&to=${(run?.toUs ?? 0) - 2_000_000}`;
  for (const rate of ["buckets=500", "rate=full"]) {
    const answer = await rig.json<BucketsAnswer>(`/devices/pump/history?${empty}&${rate}`);
    expect(answer.nearest, rate).toEqual({ beforeUs: run?.fromUs, afterUs: run?.toUs });
    expect(answer.kept).toEqual({ maxAgeS: null, maxBytes: null });
  }
  const future = await rig.json<BucketsAnswer>("/devices/pump/history?from=2200-01-01&to=2200-01-02");
  expect(future.nearest).toEqual({ beforeUs: future.span?.toUs, afterUs: null });
  const past = await rig.json<BucketsAnswer>("/devices/pump/history?from=0&to=9");
  expect(past.nearest).toEqual({ beforeUs: null, afterUs: future.span?.fromUs });
  expect((await rig.json<BucketsAnswer>("/devices/pump/history?from=0")).nearest).toBeNull();
});
