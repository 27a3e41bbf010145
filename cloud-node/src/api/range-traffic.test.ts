import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { SILENT_LOGGER } from "../logger.ts";
import { ManualClock } from "../manual-clock.suite.ts";
import { CloudNode } from "../node.ts";
import { type MeteredDevice, TrafficLedger } from "../reconstructor/traffic-ledger.ts";
import { TrafficMeter } from "../reconstructor/traffic-meter.ts";
import { CommitQueue } from "../store/commit-queue.ts";
import { HeldStore } from "../store/held-store.suite.ts";
import { StoreError } from "../store/store-error.ts";
import { SeededRandom, signal } from "../test-device.suite.ts";
import { ApiRig, closeRigsAfterEach } from "./api-rig.suite.ts";

closeRigsAfterEach();

const rows = (count: number) => {
  const random = new SeededRandom(3);
  return Array.from({ length: count }, (_, n) => signal(random, n));
};

interface Layer {
  readonly bytes: number;
  readonly rawBytes: number;
  readonly ratio: number | null;
}

interface Traffic {
  readonly covered: { readonly fromUs: number; readonly toUs: number } | null;
  readonly windowS: number;
  readonly about: readonly string[];
  readonly samples: number;
  readonly messages: number;
  readonly payload: Layer;
  readonly frame: Layer;
  readonly ip: Layer;
  readonly rawBytes: number;
}

test("what a device cost over a range is what was counted, before and after the node was started again", async () => {
  const rig = await ApiRig.open();
  const session = await rig.device("rotor", rows(400));
  const counted = rig.node.device("rotor")?.traffic;
  const nowUs = rig.clock.unixUs();
  const ask = (from: unknown, to: unknown, of = rig) =>
    of.json<Traffic>(`/devices/rotor/traffic?from=${from}${to === undefined ? "" : `&to=${to}`}`);
  const running = await ask(0, undefined);
  expect(running).toMatchObject({
    samples: 400,
    messages: counted?.messages,
    payload: { bytes: counted?.payloadBytes, rawBytes: 4 * 2 * 400 },
    frame: { bytes: counted?.frameBytes },
    ip: { bytes: 0, ratio: null },
  });
  // Before the first minute nothing was counted, and the last minute is not over: no rate may be of what is to come.
  const coveredS = ((running.covered?.toUs ?? 0) - (running.covered?.fromUs ?? 0)) / 1e6;
  const offsetUs = rig.node.device("rotor")?.clockOffsetUs ?? 0;
  const leftS = ((running.covered?.toUs ?? 0) - offsetUs - rig.clock.unixUs()) / 1e6;
  expect(running.windowS).toBeGreaterThan(0);
  expect(running.windowS).toBeLessThanOrEqual(coveredS - Math.max(0, leftS));
  expect(running.about).toEqual(expect.arrayContaining(["part", "whole-minutes"]));
  expect(running.covered?.fromUs).toBeGreaterThan(0);
  expect((await ask(0, 1_000_000)).covered).toBeNull();
  expect(await ask(nowUs + 7_200e6, nowUs + 7_300e6)).toMatchObject({ covered: null, samples: 0, windowS: 0 });

  await session.close();
  const total = rig.node.device("rotor")?.traffic;
  await rig.node.close();
  const file = join(rig.folder, "store.db");
  const node = await CloudNode.open({ storeFile: file, broker: null, logger: SILENT_LOGGER, clock: rig.clock });
  const again = await rig.beside(node);
  expect(await ask(0, undefined, again)).toMatchObject({
    samples: 400,
    messages: total?.messages,
    payload: { bytes: total?.payloadBytes },
    frame: { bytes: total?.frameBytes },
  });
  expect((await again.get("/api/v1/devices/rotor/traffic?from=5&to=3")).status).toBe(400);
  expect((await again.get("/api/v1/devices/rotor/traffic?from=yesterday")).status).toBe(400);
});

test("each minute is written once, and is at every moment either known here or stored", async () => {
  const clock = new ManualClock();
  const store = new HeldStore();
  const ignore = () => {};
  const heard = { onFailure: ignore, onFull: ignore, onRoom: ignore };
  const commits = new CommitQueue({ store, clock, commitMs: 10, ...heard });
  const device: MeteredDevice = { key: 7, traffic: new TrafficMeter() };
  const silent: MeteredDevice = { key: 8, traffic: new TrafficMeter() };
  const others: MeteredDevice[] = [];
  const ledger = new TrafficLedger({ commits, clock, devices: () => [device, silent, ...others] });
  const firstMinute = Math.floor(clock.unixUs() / 60e6);
  const count = (messages: number) => {
    device.traffic.messages += messages;
    device.traffic.payloadBytes += 10 * messages;
  };
  count(3);
  expect(ledger.freshOf(device)).toMatchObject([{ minute: firstMinute, traffic: { messages: 3, payloadBytes: 30 } }]);
  expect(ledger.freshOf(silent)).toEqual([]);
  clock.advance(60_000);
  clock.advance(10);
  const first = await store.next();
  expect(first.batch.records).toMatchObject([{ table: "traffic", device: 7, minute: firstMinute, messages: 3 }]);
  count(2);
  // It may not be durable yet: still known here.
  expect(ledger.freshOf(device).map(({ traffic }) => traffic.messages)).toEqual([3, 2]);
  await first.succeed();
  expect(ledger.freshOf(device).map(({ traffic }) => traffic.messages)).toEqual([2]);

  // While the store fails nothing piles up: the meter keeps what comes, and it is written later.
  clock.advance(60_000);
  clock.advance(10);
  await (await store.next()).fail(new StoreError("disk-full", { file: "", detail: "" }));
  for (let minute = 0; minute < 5; minute++) {
    count(1);
    clock.advance(60_000);
  }
  await vi.waitFor(() => expect(store.pending).toBeGreaterThan(0), 20_000);
  expect(ledger.freshOf(device).map(({ traffic }) => traffic.messages)).toEqual([2, 5]);
  const again = await store.next();
  expect(again.batch.records).toMatchObject([{ messages: 2, minute: firstMinute + 1 }]);
  await again.succeed();
  clock.advance(60_000);
  clock.advance(10);
  const late = await store.next();
  expect(late.batch.records).toMatchObject([{ messages: 5, payloadBytes: 50 }]);
  await late.succeed();
  // What waits to be written when the node ends is written, and so is the minute that has just begun.
  count(4);
  const many = Array.from({ length: 600 }, (_, i) => ({ key: 100 + i, traffic: new TrafficMeter() }));
  for (const { traffic } of many) traffic.messages += 1;
  others.push(...many);
  clock.advance(60_000);
  clock.advance(10);
  const part = await store.next();
  expect(part.batch.records.length).toBeLessThan(300);
  count(6);
  ledger.close();
  await part.succeed();
  clock.advance(10);
  const rest = await store.next();
  expect(part.batch.records.length + rest.batch.records.length).toBe(602);
  const own = [...part.batch.records, ...rest.batch.records].filter(
    (record) => "device" in record && record.device === 7,
  );
  expect(own).toMatchObject([{ messages: 4 }, { messages: 6 }]);
});

test("a minute that can never be written is not kept in memory either", async () => {
  const clock = new ManualClock();
  const store = new HeldStore();
  const ignore = () => {};
  const heard = { onFailure: ignore, onFull: ignore, onRoom: ignore };
  const commits = new CommitQueue({ store, clock, commitMs: 10, ...heard });
  const device: MeteredDevice = { key: 7, traffic: new TrafficMeter() };
  const ledger = new TrafficLedger({ commits, clock, devices: () => [device] });
  const corrupt = new StoreError("corrupt", { file: "", detail: "" });
  for (let minute = 0; minute < 30; minute++) {
    device.traffic.messages += 1;
    clock.advance(60_000);
    clock.advance(10);
    while (store.pending > 0) {
      const commit = await store.next();
      const isCost = commit.batch.records.some(({ table }) => table === "traffic");
      await (isCost ? commit.fail(corrupt) : commit.succeed());
    }
  }
  expect(ledger.freshOf(device).length).toBeLessThanOrEqual(1);
  ledger.close();
});
