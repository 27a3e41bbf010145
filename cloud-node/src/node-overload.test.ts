import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeStreamFrame, formatTopic } from "@lockstep/protocol";
import { connectAsync } from "mqtt";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "./clock.ts";
import { openHistory } from "./history/history.ts";
import { SILENT_LOGGER } from "./logger.ts";
import { CloudNode } from "./node.ts";
import { EncodedDevice } from "./reconstructor/encoded-device.suite.ts";
import type { Store } from "./store/store.ts";

const LIMIT_MS = 30_000;
const FRAMES = 30_000;
/** The queue lets devices go on below 5,000; beyond, only what was on its way already is taken. */
const HELD_FRAMES = 5_000;
const ON_THE_WAY_FRAMES = 6_000;
let folder = "";
let node: CloudNode | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-overload-"));
});

afterEach(async () => {
  await node?.close();
  node = undefined;
  rmSync(folder, { recursive: true });
});

/** A store whose commits wait until it is let go. */
function stuckStore() {
  let letGo = () => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let isStuck = false;
  return {
    stick: () => {
      isStuck = true;
    },
    letGo: () => {
      isStuck = false;
      letGo();
    },
    wrap: (store: Store): Store => ({
      reader: store.reader,
      commit: async (batch) => {
        if (isStuck) await gate;
        return await store.commit(batch);
      },
      retain: (rules) => store.retain(rules),
      close: () => store.close(),
    }),
  };
}

const ROADS = {
  tcp: async (cloud: CloudNode) => {
    const socket = connect({ host: "127.0.0.1", port: cloud.tcpPort ?? 0 });
    await once(socket, "connect");
    return {
      send: (bytes: Uint8Array, _level: "birth" | "frames") => void socket.write(encodeStreamFrame(bytes)),
      end: () => socket.destroy(),
    };
  },
  mqtt: async (cloud: CloudNode) => {
    const client = await connectAsync(cloud.mqttUrl ?? "", { protocolVersion: 4 });
    return {
      send: (bytes: Uint8Array, level: "birth" | "frames") => {
        client.publish(formatTopic({ group: "lockstep", device: "unit", level }), Buffer.from(bytes));
      },
      end: () => client.end(true),
    };
  },
} as const;

test.for(["tcp", "mqtt"] as const)(
  "a store that stands still holds devices back over %s, is told, and nothing is refused or lost",
  { timeout: 2 * LIMIT_MS },
  async (road) => {
    const stuck = stuckStore();
    const storeFile = join(folder, "store.db");
    const cloud = await CloudNode.openWith(
      {
        storeFile,
        broker: { kind: "embedded", port: 0, host: "127.0.0.1" },
        tcpPort: 0,
        tcpHost: "127.0.0.1",
        logger: SILENT_LOGGER,
        clock: systemClock(),
      },
      { store: stuck.wrap },
    );
    node = cloud;
    const device = new EncodedDevice(1);
    const way = await ROADS[road](cloud);
    way.send(device.birthBytes, "birth");
    await vi.waitFor(() => expect(cloud.device("unit")).toBeDefined(), LIMIT_MS);
    stuck.stick();
    for (const { bytes } of device.frames(FRAMES)) way.send(bytes, "frames");
    await vi.waitFor(() => expect(cloud.load().causes).toEqual(["store"]), LIMIT_MS);
    // Whatever is still on its way arrives; what is held is not.
    let before = -1;
    await vi.waitFor(() => {
      const { waitingFrames } = cloud.load();
      const isSettled = waitingFrames === before;
      before = waitingFrames;
      expect(isSettled).toBe(true);
    }, LIMIT_MS);
    expect(before).toBeGreaterThanOrEqual(HELD_FRAMES);
    expect(before).toBeLessThan(HELD_FRAMES + ON_THE_WAY_FRAMES);
    expect(cloud.device("unit")?.confirmed.seq).toBe(0);
    stuck.letGo();
    await vi.waitFor(() => expect(cloud.device("unit")?.confirmed.seq).toBe(FRAMES), LIMIT_MS);
    const { causes, times, heldMs, waitingFrames } = cloud.load();
    expect(causes).toEqual([]);
    expect(times).toBeGreaterThanOrEqual(1);
    expect(heldMs).toBeGreaterThan(0);
    expect(waitingFrames).toBe(0);
    expect(cloud.counters()["frames.back-pressure"]).toBeUndefined();
    way.end();
    const stateHash = cloud.device("unit")?.stateHash;
    await cloud.close();
    const history = await openHistory(storeFile);
    let rows = 0;
    for (const block of history.rows("unit", { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER }))
      rows += block.timesUs.length;
    history.close();
    expect(rows).toBeGreaterThan(FRAMES);
    expect(stateHash).toBeDefined();
  },
);
