import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  addMac,
  bootKeyMessage,
  type DownlinkFrame,
  decodeFrame,
  encodeFrame,
  type FragmentFrame,
  type Frame,
  split,
  splitMac,
} from "@lockstep/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DeviceBook } from "../access/device-book.ts";
import type { DeviceRateLimits } from "../access/device-rates.ts";
import { systemClock } from "../clock.ts";
import { SILENT_LOGGER } from "../logger.ts";
import { CloudNode } from "../node.ts";
import { EncodedDevice } from "../reconstructor/encoded-device.suite.ts";
import type { LinkKeys } from "./seal-guard.ts";
import type { SerialEnd } from "./serial-listener.ts";

const KEY = Uint8Array.from({ length: 32 }, (_, i) => 200 - i);
const NONCE = 77;
const UNIT = "unit";
/** Bytes of a sealed frame that its last piece has, over every length of its seal. */
const MOST_TAIL = 40;
/** Half a keyframe. */
const MOST_FRAME_TAIL = 20;

let folder = "";
let node: CloudNode | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-guard-"));
});
afterEach(async () => {
  await node?.close();
  node = undefined;
  rmSync(folder, { recursive: true });
});

class Keys implements LinkKeys {
  readonly held = new Map<string, Uint8Array>([[UNIT, KEY]]);

  get isOpen(): boolean {
    return this.held.size === 0;
  }

  grantOf(device: string): string | undefined {
    return this.held.has(device) ? device : undefined;
  }

  mayUseJobs(): boolean {
    return false;
  }

  macKeyOf(device: string): Uint8Array | undefined {
    return this.held.get(device);
  }

  devices(): Iterable<string> {
    return this.held.keys();
  }
}

/** A line on which a test says every byte; what it hears is opened as the device would. */
class Wire implements SerialEnd {
  readonly raw: Uint8Array[] = [];
  #events: Parameters<SerialEnd["open"]>[0] | undefined;

  open(events: Parameters<SerialEnd["open"]>[0]): void {
    this.#events = events;
  }

  send(bytes: Uint8Array): boolean {
    this.raw.push(bytes);
    return true;
  }

  pause(): void {}
  resume(): void {}
  async close(): Promise<void> {}

  plugIn(): void {
    this.#events?.opened();
  }

  say(bytes: Uint8Array): void {
    this.#events?.frame(bytes);
  }

  /** The frames heard, each of which must have a right MAC. */
  heard(nonce = NONCE): Frame[] {
    return this.raw.map((bytes) => {
      const { frame, covered, mac } = splitMac(bytes) ?? expect.fail("no MAC");
      expect(Buffer.from(mac)).toEqual(macOf("down", nonce)(covered).subarray(0, 8));
      return decodeFrame(frame);
    });
  }

  async until(kind: DownlinkFrame["kind"], nonce = NONCE): Promise<Frame> {
    for (;;) {
      const found = this.heard(nonce).findLast((frame) => frame.kind === kind);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

function macOf(direction: "up" | "down", nonce = NONCE, key = KEY) {
  const bootKey = createHmac("sha256", key)
    .update(bootKeyMessage(direction, nonce, UNIT))
    .digest();
  return (covered: Uint8Array) => createHmac("sha256", bootKey).update(covered).digest();
}
const sealed = (bytes: Uint8Array, nonce = NONCE) => addMac(bytes, macOf("up", nonce));

async function open(storeFile = "store.db", keys = new Keys(), rates?: DeviceRateLimits) {
  const options = {
    storeFile: join(folder, storeFile),
    broker: null,
    logger: SILENT_LOGGER,
    clock: systemClock(),
    rates,
  };
  node = await CloudNode.openWith({ ...options, acks: { everyFrames: 1, ageMs: 10 } }, { linkKeys: keys });
  return { cloud: node, wire: plugged(node), keys };
}

function plugged(cloud: CloudNode): Wire {
  const wire = new Wire();
  cloud.attachLine("/dev/ttyTEST", wire);
  wire.plugIn();
  return wire;
}

const statusOf = (nonce: number, next: number) =>
  encodeFrame({ kind: "status", nonce, epoch: 1, oldest: 0, next, evicted: 0, ringFill: 0, timeUs: 0 });

test("on a line a device is welcomed, heard and answered under its key alone", async () => {
  const { cloud, wire } = await open();
  const device = new EncodedDevice(1, { nonce: NONCE });
  const [first = new Uint8Array(), second = new Uint8Array()] = device.frames(2).map(({ bytes }) => bytes);
  wire.say(device.birthBytes);
  expect(cloud.counters()["refused.no-mac"]).toBe(1);
  wire.say(sealed(device.birthBytes));
  await wire.until("welcome");
  wire.say(first);
  wire.say(sealed(first));
  wire.say(sealed(second));
  await wire.until("ack");
  expect(cloud.counters()["refused.no-mac"]).toBe(2);
  expect(cloud.device(UNIT)?.receivedSamples).toBeGreaterThan(0);
});

test("after a restart a status of the boot in force is recognised and verified; a forged one is not", async () => {
  const first = await open();
  const device = new EncodedDevice(2, { nonce: NONCE });
  const frames = device.frames(3).map(({ bytes }) => bytes);
  first.wire.say(sealed(device.birthBytes));
  await first.wire.until("welcome");
  for (const bytes of frames.slice(0, 2)) first.wire.say(sealed(bytes));
  await first.wire.until("ack");
  await first.cloud.close();
  const { cloud, wire } = await open();
  // In mid-sentence: nobody knows whose it is.
  wire.say(sealed(frames[2] ?? expect.fail()));
  wire.say(statusOf(NONCE, 3));
  wire.say(addMac(statusOf(NONCE, 3), macOf("up", NONCE, new Uint8Array(32))));
  expect(cloud.device(UNIT)?.online).toBe(false);
  expect(cloud.counters()).toMatchObject({ "refused.no-mac": 1, "refused.bad-mac": 1 });
  wire.say(sealed(statusOf(NONCE, 3)));
  await wire.until("ack");
  expect(cloud.device(UNIT)?.online).toBe(true);
  wire.say(sealed(frames[2] ?? expect.fail()));
  expect(cloud.device(UNIT)?.receivedSamples).toBeGreaterThan(0);
});

test("a boot that the node has never heard of is found by its key on a line, and asked for its birth under it", async () => {
  const { cloud, wire } = await open();
  wire.say(sealed(statusOf(NONCE, 3)));
  expect(await wire.until("refusal")).toMatchObject({ reason: "unknown-device", nonce: NONCE });
  const device = new EncodedDevice(3, { nonce: NONCE });
  wire.say(sealed(device.birthBytes));
  await wire.until("welcome");
  expect(cloud.device(UNIT)?.epoch).toBe(1);
});

test("keys are tried once a second at most: a line full of statuses that nobody sent costs little", async () => {
  const { cloud, wire, keys } = await open();
  for (let i = 0; i < 50; i++) keys.held.set(`unit-${i}`, new Uint8Array(32).fill(i));
  let asked = 0;
  const macKeyOf = keys.macKeyOf.bind(keys);
  keys.macKeyOf = (device) => {
    asked += 1;
    return macKeyOf(device);
  };
  for (let i = 0; i < 200; i++) wire.say(addMac(statusOf(i, 3), macOf("up", i, new Uint8Array(32).fill(99))));
  expect(asked).toBeLessThan(200);
  expect(cloud.counters()["refused.out-of-range"]).toBe(200);
});

test("a frame in fragments is sealed whole: the pieces need no MAC, and the whole does", async () => {
  const { cloud, wire } = await open();
  const device = new EncodedDevice(4, { nonce: NONCE });
  const cut = (bytes: Uint8Array) => split(bytes, 48, 0x1_0000 + NONCE).map(encodeFrame);
  for (const piece of cut(device.birthBytes)) wire.say(piece);
  expect(cloud.counters()["refused.no-mac"]).toBe(1);
  for (const piece of cut(sealed(device.birthBytes))) wire.say(piece);
  await wire.until("welcome");
});

test("the last piece of a sealed frame is taken for one whatever it is cut to, of a device that is known too", async () => {
  const { cloud, wire } = await open();
  const device = new EncodedDevice(8, { nonce: NONCE });
  wire.say(sealed(device.birthBytes));
  await wire.until("welcome");
  const before = cloud.counters();
  for (let tail = 1; tail <= MOST_TAIL; tail++) {
    const { seq, bytes } = device.keyframe();
    // No piece is longer than the first.
    const ofFrame = Math.min(tail, MOST_FRAME_TAIL);
    for (const piece of cutWithTail(sealed(bytes), seq, ofFrame)) wire.say(encodeFrame(piece));
    for (const piece of cutWithTail(sealed(device.birthBytes), 0x1_0000 + NONCE, tail)) wire.say(encodeFrame(piece));
  }
  expect(cloud.counters()).toEqual(before);
  for (;;) {
    const ack = await wire.until("ack");
    if (ack.kind === "ack" && ack.through === MOST_TAIL) break;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(cloud.device(UNIT)?.lost).toEqual({ samples: 0, gaps: 0 });
});

/** Two pieces of a frame, the last of which has so many bytes of it. */
function cutWithTail(bytes: Uint8Array, id: number, tail: number): FragmentFrame[] {
  const at = bytes.length - tail;
  const piece = (index: number, chunk: Uint8Array): FragmentFrame => ({ kind: "fragment", id, index, count: 2, chunk });
  return [piece(0, bytes.slice(0, at)), piece(1, bytes.slice(at))];
}

test("a key that is taken back, or another, ends what was under the old one at once", async () => {
  const { cloud, wire, keys } = await open();
  const device = new EncodedDevice(5, { nonce: NONCE });
  const [first = new Uint8Array(), second = new Uint8Array()] = device.frames(2).map(({ bytes }) => bytes);
  wire.say(sealed(device.birthBytes));
  await wire.until("welcome");
  wire.say(sealed(first));
  const before = cloud.device(UNIT)?.receivedSamples;
  keys.held.set(UNIT, new Uint8Array(32));
  wire.say(sealed(second));
  expect(cloud.counters()["refused.bad-mac"]).toBe(1);
  keys.held.set("another", KEY);
  keys.held.delete(UNIT);
  wire.say(sealed(second));
  wire.say(second);
  expect(cloud.device(UNIT)?.receivedSamples).toBe(before);
});

test("while nobody has a key a MAC is refused as it was before there were any, and all are heard without", async () => {
  const keys = new Keys();
  keys.held.clear();
  const { cloud, wire } = await open("store.db", keys);
  const device = new EncodedDevice(6, { nonce: NONCE });
  wire.say(sealed(device.birthBytes));
  expect(cloud.counters()).toMatchObject({ "refused.out-of-range": 1 });
  wire.say(device.birthBytes);
  for (;;) {
    if (wire.raw.some((bytes) => splitMac(bytes) === undefined && decodeFrame(bytes).kind === "welcome")) break;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(cloud.device(UNIT)?.epoch).toBe(1);
});

test("what is refused is told once in ten seconds, with how much it was", async () => {
  const { cloud, wire } = await open();
  const told: unknown[] = [];
  cloud.onEvent((event) => told.push(event));
  const device = new EncodedDevice(7, { nonce: NONCE });
  for (let i = 0; i < 100; i++) wire.say(device.birthBytes);
  expect(told).toEqual([{ kind: "unproven", device: UNIT, code: "no-mac", count: 1 }]);
  expect(cloud.counters()["refused.no-mac"]).toBe(100);
  expect(cloud.refused()).toMatchObject([{ id: UNIT, reason: "no-mac" }]);
});

test("on a line a device without a key is not known by a status of its boot, once another one has a key", async () => {
  const keys = new Keys();
  keys.held.clear();
  const first = await open("store.db", keys);
  first.wire.say(new EncodedDevice(9, { nonce: NONCE }).birthBytes);
  while (first.cloud.device(UNIT)?.online !== true) await new Promise((resolve) => setTimeout(resolve, 2));
  await first.cloud.close();
  keys.held.set("another", KEY);
  const { cloud, wire } = await open("store.db", keys);
  wire.say(statusOf(NONCE, 0));
  expect(cloud.device(UNIT)?.online).toBe(false);
  expect(cloud.counters()).toMatchObject({ "refused.unknown-device": 1 });
});

test("a device on a line is gone for the node soon after it was revoked, and is not heard again", async () => {
  const storeFile = join(folder, "store.db");
  const command = new DeviceBook(storeFile);
  const given = await command.add(UNIT, { hasMac: true, added: "2026-01-01T00:00:00.000Z" });
  const key = Buffer.from(given.macKey ?? "", "base64url");
  node = await CloudNode.open({ storeFile, broker: null, logger: SILENT_LOGGER, clock: systemClock() });
  const wire = plugged(node);
  const { birthBytes } = new EncodedDevice(10, { nonce: NONCE });
  wire.say(addMac(birthBytes, macOf("up", NONCE, key)));
  while (node.device(UNIT)?.online !== true) await new Promise((resolve) => setTimeout(resolve, 2));
  await command.revoke(UNIT, "2026-01-02T00:00:00.000Z");
  while (node.device(UNIT)?.online !== false) await new Promise((resolve) => setTimeout(resolve, 2));
  wire.say(addMac(statusOf(NONCE, 0), macOf("up", NONCE, key)));
  expect(node.device(UNIT)?.online).toBe(false);
  expect(node.counters()["refused.not-admitted"]).toBe(1);
});

test("on a connection of one device a birth in another's name is refused, and nobody hears of the other", async () => {
  const { cloud, keys } = await open();
  keys.held.set("other", KEY);
  const told: unknown[] = [];
  let say = (_bytes: Uint8Array) => {};
  cloud.attach({
    listen: (handlers) => {
      handlers.connected();
      say = handlers.message;
    },
    send() {},
    drop() {},
  });
  say(sealed(new EncodedDevice(11, { nonce: NONCE }).birthBytes));
  cloud.onEvent((event) => told.push(event));
  say(new EncodedDevice(12, { nonce: NONCE, device: "other" }).birthBytes);
  expect(cloud.counters()).toEqual({ "refused.other-device": 1 });
  expect(told.filter((event) => JSON.stringify(event).includes("unproven"))).toEqual([]);
  expect(cloud.refused()).toEqual([]);
});

test("what nobody proved costs its connection its allowance, and not the device whose birth was recorded", async () => {
  const [burstFrames, few] = [8, { framesPerSecond: 1e-6, bytesPerSecond: 1e-6 }];
  const { cloud, wire } = await open("store.db", new Keys(), { ...few, burstFrames, burstBytes: 1e6 });
  const device = new EncodedDevice(13, { nonce: NONCE });
  const [first = new Uint8Array()] = device.frames(1).map(({ bytes }) => bytes);
  const birth = sealed(device.birthBytes);
  wire.say(birth);
  const attacker = plugged(cloud);
  attacker.say(birth);
  for (let n = 0; n < 3 * burstFrames; n++) attacker.say(new Uint8Array(5));
  expect(cloud.counters()["refused.over-frames"]).toBe(2 * burstFrames + 1);
  wire.say(sealed(first));
  expect(cloud.counters()["refused.over-frames"]).toBe(2 * burstFrames + 1);
  await wire.until("ack");
});

test("a revoked device's good-bye is taken under its key where the transport has made sure who speaks, and nothing else", async () => {
  const storeFile = join(folder, "store.db");
  const command = new DeviceBook(storeFile);
  const given = await command.add(UNIT, { hasMac: true, added: "2026-01-01T00:00:00.000Z" });
  const mac = macOf("up", NONCE, Buffer.from(given.macKey ?? "", "base64url"));
  node = await CloudNode.open({ storeFile, broker: null, logger: SILENT_LOGGER, clock: systemClock() });
  let say = (_bytes: Uint8Array) => {};
  node.attach({
    listen: (handlers) => {
      handlers.connected();
      say = handlers.message;
    },
    send() {},
    drop() {},
  });
  say(addMac(new EncodedDevice(14, { nonce: NONCE }).birthBytes, mac));
  while (node.device(UNIT)?.online !== true) await new Promise((resolve) => setTimeout(resolve, 2));
  await command.revoke(UNIT, "2026-01-02T00:00:00.000Z");
  while (node.counters()["refused.not-admitted"] === undefined) {
    say(addMac(statusOf(NONCE, 0), mac));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  say(addMac(encodeFrame({ kind: "presence", nonce: NONCE, online: false }), mac));
  expect(node.device(UNIT)?.online).toBe(false);
});
