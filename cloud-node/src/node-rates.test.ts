import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DeviceSession, systemClock, type Transport, tcpTransport } from "@lockstep/edge-sdk";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock as nodeClock } from "./clock.ts";
import { SILENT_LOGGER } from "./logger.ts";
import { CloudNode } from "./node.ts";
import { openDevice, SeededRandom, signal } from "./test-device.suite.ts";

/** Many times what may come at once: the rest has to wait for its allowance. */
const FRAMES = 1_500;
const RATES = { framesPerSecond: 400, bytesPerSecond: 1e7, burstFrames: 100, burstBytes: 1e7 };
const LIMIT_MS = 60_000;
/** Frames that the ring has room for, and that go out at once. */
const MOST_WAITING = 300;

let folder = "";
let node: CloudNode | undefined;
let session: DeviceSession | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-rates-"));
});
afterEach(async () => {
  await session?.destroy();
  await node?.close();
  rmSync(folder, { recursive: true });
});

test("what a device sends beyond its allowance is dropped, counted, and comes again: nothing of it is lost", async () => {
  node = await CloudNode.open({
    storeFile: join(folder, "store.db"),
    broker: null,
    tcpPort: 0,
    acks: { everyFrames: 16, ageMs: 50 },
    rates: RATES,
    logger: SILENT_LOGGER,
    clock: nodeClock(),
  });
  const random = new SeededRandom(5);
  const transport: Transport = tcpTransport({ url: `tcp://127.0.0.1:${node.tcpPort}`, clock: systemClock(), random });
  session = await openDevice({ device: "greedy", transport, random, frameSamples: 1 });
  for (let n = 0; n < FRAMES; n += 1) {
    session.push(signal(random, n), 1_000_000 + n * 10_000);
    if (n % MOST_WAITING === 0) expect(await session.settled(MOST_WAITING, LIMIT_MS)).toBe(true);
  }
  session.flush();
  expect(await session.drained(LIMIT_MS)).toBe(true);
  const over = node.counters()["refused.over-frames"] ?? 0;
  expect(over).toBeGreaterThan(0);
  expect(node.device("greedy")).toMatchObject({
    confirmed: { samples: FRAMES },
    lost: { samples: 0, gaps: 0 },
    refused: over,
  });
}, 120_000);
