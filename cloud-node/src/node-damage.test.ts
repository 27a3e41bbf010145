import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DeviceSession, Loopback } from "@lockstep/edge-sdk";
import { afterEach, expect, test, vi } from "vitest";
import { EventLog } from "./api/event-log.ts";
import { FleetWatch } from "./api/fleet-watch.ts";
import { systemClock } from "./clock.ts";
import { SILENT_LOGGER } from "./logger.ts";
import { CloudNode } from "./node.ts";
import type { NodeEvent } from "./reconstructor/node-event.ts";
import { deviceOf } from "./store/batch-builder.ts";
import { FRAME_FIELDS, type Store } from "./store/store.ts";
import { StoreError } from "./store/store-error.ts";
import { openDevice, SeededRandom, signal } from "./test-device.suite.ts";

const LIMIT_MS = 20_000;
const folder = mkdtempSync(join(tmpdir(), "lockstep-node-damage-"));
const sessions: DeviceSession[] = [];
const loopbacks: Loopback[] = [];
let node: CloudNode | undefined;

afterEach(async () => {
  for (const session of sessions) await session.destroy();
  await node?.close();
  rmSync(folder, { recursive: true });
});

/** A store in which, from some moment on, nothing of one device can be written. */
class PartlyDamaged implements Store {
  damaged: number | undefined;
  refused = 0;
  readonly #behind: Store;

  constructor(behind: Store) {
    this.#behind = behind;
  }

  get reader() {
    return this.#behind.reader;
  }

  commit(batch: Parameters<Store["commit"]>[0]): ReturnType<Store["commit"]> {
    const own = batch.frames.filter((_, i) => i % FRAME_FIELDS === 1);
    const isOf = batch.records.some((record) => deviceOf(record) === this.damaged);
    if (this.damaged === undefined || !(isOf || own.includes(this.damaged))) return this.#behind.commit(batch);
    this.refused += 1;
    return Promise.reject(new StoreError("corrupt", { file: "store.db", detail: "malformed" }));
  }

  retain(rules: Parameters<Store["retain"]>[0]): ReturnType<Store["retain"]> {
    return this.#behind.retain(rules);
  }

  close(): Promise<void> {
    return this.#behind.close();
  }
}

test("a device whose part of the store is damaged is a fault, keeps its frames, and stands in nobody's way", async () => {
  let store: PartlyDamaged | undefined;
  const clock = systemClock();
  const storeFile = join(folder, "store.db");
  const wrap = (behind: Store) => {
    store = new PartlyDamaged(behind);
    return store;
  };
  const options = { storeFile, broker: null, logger: SILENT_LOGGER, clock };
  node = await CloudNode.openWith({ ...options, acks: { everyFrames: 1, ageMs: 10 } }, { store: wrap });
  const events: NodeEvent[] = [];
  node.onEvent((event) => events.push(event));
  const fleet = new FleetWatch({ node, clock, log: new EventLog(), truthOf: () => undefined });
  const random = new SeededRandom(1);
  for (const device of ["bad", "good"]) {
    const loopback = new Loopback();
    loopbacks.push(loopback);
    node.attach(loopback);
    sessions.push(
      await openDevice({ device, transport: loopback.transport, random: new SeededRandom(sessions.length) }),
    );
  }
  const [bad, good] = sessions;
  const push = (rows: number) => {
    for (const session of sessions) {
      for (let n = 0; n < rows; n++) session.push(signal(random, n));
      session.flush();
    }
  };
  push(100);
  for (const session of sessions) expect(await session.drained(LIMIT_MS)).toBe(true);
  const confirmed = node.device("bad")?.confirmed;

  if (store !== undefined) store.damaged = 1;
  push(100);
  expect(await good?.drained(LIMIT_MS)).toBe(true);
  await vi.waitFor(() => expect(node?.device("bad")?.damage).toContain("store.db is damaged"), LIMIT_MS);
  expect(node.device("bad")).toMatchObject({ status: "refused", confirmed });
  expect(bad?.stats().unconfirmedFrames).toBeGreaterThan(0);
  expect(events.filter(({ kind }) => kind === "store-damaged")).toMatchObject([{ device: "bad", code: "corrupt" }]);
  expect(fleet.row("bad")).toMatchObject({ state: "fault" });
  expect(fleet.row("good")?.state).not.toBe("fault");
  expect(node.health().store).toBeNull();

  // It is not asked again and again, and what it sends goes no further.
  const refused = store?.refused;
  for (let round = 0; round < 5; round++) {
    push(40);
    expect(await good?.drained(LIMIT_MS)).toBe(true);
  }
  await vi.waitFor(() => expect(node?.counters()["frames.store-damaged"]).toBeGreaterThan(0), LIMIT_MS);
  expect([store?.refused, node.device("bad")?.confirmed]).toEqual([refused, confirmed]);
  fleet.close();

  // Restored and started again, it takes what the device kept.
  await node.close();
  node = await CloudNode.open(options);
  for (const loopback of loopbacks) node.attach(loopback);
  for (const session of sessions) expect(await session.drained(LIMIT_MS)).toBe(true);
  const { samples = 0 } = node.device("good")?.confirmed ?? {};
  expect(samples).toBe(400);
  expect(node.device("bad")).toMatchObject({ status: "live", damage: undefined, confirmed: { samples } });
});
