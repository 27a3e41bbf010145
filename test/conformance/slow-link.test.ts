import { readFileSync } from "node:fs";
import {
  compileDeviceModule,
  DeviceSession,
  type OutTopic,
  planChannel,
  type Transport,
  type TransportEvents,
} from "@lockstep/edge-sdk";
import { ManualClock, seededRandom } from "@lockstep/sim";
import { describe, expect, test } from "vitest";
import { RawCloud } from "./raw-cloud.ts";
import { DEVICE_WASM, RawDevice } from "./raw-device.ts";

/** LoRaWAN's longest message at its slowest data rate. */
const MTU = 51;
const SLOWEST_WAIT_MS = 30_000;
/** A message on air at that rate; the same kept to a duty cycle of 1 %. */
const AIR_MS = 2_793;
const DUTY_MS = 279_300;

/** More than any of these births takes. */
const LONGEST_RUN_MS = 10_000_000;
/** Of the session's birth. */
const FRAGMENTS = 7;

const rawDevice = (mtu = MTU) => new RawDevice({ channels: 6, e: 100, frameSamples: 20, mtu });

/**
 * Send births over a radio that takes `messageMs` for a message and hears nothing.
 *
 * @returns from the beginning of each birth's last message to the next birth, ms
 */
function waitsUnheard(device: RawDevice, messageMs: number, count: number): number[] {
  const waits: number[] = [];
  let lastAtMs = Number.NaN;
  let isIdle = false;
  device.core.linkConnected(0);
  for (let freeAtMs = 0; waits.length < count && device.nowMs < LONGEST_RUN_MS; device.nowMs += 1) {
    if (device.nowMs < freeAtMs) continue;
    const isTaken = device.poll(1).length > 0;
    if (isTaken && isIdle) waits.push(device.nowMs - lastAtMs);
    isIdle = !isTaken;
    if (!isTaken) continue;
    lastAtMs = device.nowMs;
    freeAtMs = device.nowMs + messageMs;
  }
  return waits;
}

describe("the core over a radio that is asked for a message when it is free", () => {
  test.each([
    ["in fragments", MTU],
    ["whole", 0],
  ])("a birth %s that leaves slowly is waited for three times as long as its last message took to leave", (_, mtu) => {
    expect(waitsUnheard(rawDevice(mtu), AIR_MS, 3)).toEqual([4 * AIR_MS, 8 * AIR_MS, SLOWEST_WAIT_MS]);
  });

  test("where a message takes minutes, a birth is waited for the slowest wait after it has left", () => {
    expect(waitsUnheard(rawDevice(), DUTY_MS, 2)).toEqual([DUTY_MS + SLOWEST_WAIT_MS, DUTY_MS + SLOWEST_WAIT_MS]);
  });

  test("where it leaves at once, the waits are 1, 2, 4 … seconds", () => {
    expect(waitsUnheard(rawDevice(), 1, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
  });

  test("a new connection greets at once, however slow the last one was", () => {
    const device = rawDevice();
    waitsUnheard(device, AIR_MS, 1);
    device.core.linkDisconnected();
    device.core.linkConnected(device.nowMs);
    expect(device.poll(1)).toHaveLength(1);
  });
});

interface Radio {
  readonly transport: Transport;
  readonly cloud: RawCloud;
}

/** Takes one message at a time, `messageMs` each; the first `lost` welcomes never arrive, the others a second later. */
function radio(clock: ManualClock, messageMs: number, lost: number): Radio {
  const cloud = new RawCloud();
  let events: TransportEvents | undefined;
  let freeAtMs = 0;
  let births = 0;
  const arrive = (bytes: Uint8Array) => {
    const answers = cloud.take(bytes);
    const isBirth = cloud.birth !== undefined && births < (cloud.kinds.birth ?? 0);
    births = cloud.kinds.birth ?? 0;
    if (isBirth && births <= lost) return;
    for (const answer of answers) clock.setTimer(() => events?.message(answer), 1_000);
  };
  const send = (topic: OutTopic, bytes: Uint8Array) => {
    if (topic === "presence") return true;
    if (clock.nowMs() < freeAtMs) return false;
    freeAtMs = clock.nowMs() + messageMs;
    const copy = bytes.slice();
    clock.setTimer(() => arrive(copy), Math.min(messageMs, AIR_MS));
    clock.setTimer(() => events?.drained(), messageMs);
    return true;
  };
  const transport: Transport = {
    open: async (given) => {
      events = given;
      queueMicrotask(() => given.connected());
    },
    send,
    useAlias() {},
    close: async () => {},
    destroy: async () => {},
  };
  return { transport, cloud };
}

async function openSession(clock: ManualClock, { transport }: Radio): Promise<DeviceSession> {
  return DeviceSession.open({
    device: "dev",
    channels: ["x", "y", "z", "rx", "ry", "rz"].map((name) => planChannel({ name, eps: 0.05, min: -2, max: 2 })),
    frameSamples: 10,
    periodNs: 60_000_000_000,
    silenceMs: 86_400_000,
    mtu: MTU,
    module: compileDeviceModule(readFileSync(DEVICE_WASM)),
    random: seededRandom(7),
    ...{ transport, clock },
  });
}

describe.each([
  ["takes seconds", AIR_MS],
  ["takes minutes", DUTY_MS],
])("a session whose transport %s for a message", (_, messageMs) => {
  test("sends its birth once when the welcome comes as soon as it can", async () => {
    const clock = new ManualClock();
    const line = radio(clock, messageMs, 0);
    const session = await openSession(clock, line);
    await clock.advance(20 * messageMs);
    expect(session.stats().phase).toBe("live");
    expect(line.cloud.kinds.birth).toBe(1);
    // Its fragments and the presence, and none of a second birth
    expect(session.stats().messages).toBe(1 + FRAGMENTS);
    await session.destroy();
  });

  test("sends it again when the welcome was lost", async () => {
    const clock = new ManualClock();
    const line = radio(clock, messageMs, 1);
    const session = await openSession(clock, line);
    await clock.advance(40 * messageMs);
    expect(line.cloud.kinds.birth).toBe(2);
    expect(session.stats().phase).toBe("live");
    await session.destroy();
  });
});
