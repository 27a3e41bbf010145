import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeFrame, encodeFrame, type Frame } from "@lockstep/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { type Logger, SILENT_LOGGER } from "../logger.ts";
import { CloudNode } from "../node.ts";
import type { CloudNodeOptions, NodeInternals } from "../node-options.ts";
import { EncodedDevice } from "../reconstructor/encoded-device.suite.ts";
import { HeldStore } from "../store/held-store.suite.ts";
import type { SerialEnd } from "./serial-listener.ts";

let folder = "";
let node: CloudNode | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-serial-"));
});

afterEach(async () => {
  await node?.close();
  node = undefined;
  rmSync(folder, { recursive: true });
});

/** A line on which a test says every frame, and hears every answer. */
class Wire implements SerialEnd {
  readonly heard: Frame[] = [];
  readonly dropped: Frame[] = [];
  readonly calls: string[] = [];
  isFull = false;
  #events: Parameters<SerialEnd["open"]>[0] | undefined;

  open(events: Parameters<SerialEnd["open"]>[0]): void {
    this.#events = events;
  }

  send(bytes: Uint8Array): boolean {
    (this.isFull ? this.dropped : this.heard).push(decodeFrame(bytes));
    return !this.isFull;
  }

  pause(): void {
    this.calls.push("pause");
  }

  resume(): void {
    this.calls.push("resume");
  }

  async close(): Promise<void> {
    this.calls.push("close");
  }

  plugIn(): void {
    this.#events?.opened();
  }

  unplug(): void {
    this.#events?.closed("unplugged");
  }

  damage(): void {
    this.#events?.damaged("bad-checksum");
  }

  say(bytes: Uint8Array): void {
    this.#events?.frame(bytes);
  }

  async until(isMet: (frame: Frame) => boolean, among: readonly Frame[] = this.heard): Promise<Frame> {
    for (;;) {
      const found = among.find(isMet);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

async function open(
  internals: NodeInternals = {},
  logger: Logger = SILENT_LOGGER,
): Promise<{ readonly cloud: CloudNode; readonly wire: Wire; readonly told: string[] }> {
  const options: CloudNodeOptions = {
    storeFile: join(folder, "store.db"),
    broker: null,
    logger,
    clock: systemClock(),
    acks: { everyFrames: 1, ageMs: 10 },
  };
  const cloud = await CloudNode.openWith(options, internals);
  node = cloud;
  const told: string[] = [];
  cloud.onEvent((event) => {
    if (event.kind === "online" || event.kind === "offline") told.push(`${event.device} ${event.kind}`);
  });
  const wire = new Wire();
  cloud.attachLine("/dev/ttyTEST", wire);
  wire.plugIn();
  return { cloud, wire, told };
}

const isAckThrough = (through: number) => (frame: Frame) => frame.kind === "ack" && frame.through === through;
const isWelcomeOf = (nonce: number) => (frame: Frame) => frame.kind === "welcome" && frame.nonce === nonce;
const statusOf = (nonce: number, next: number) =>
  encodeFrame({ kind: "status", nonce, epoch: 1, oldest: 0, next, evicted: 0, ringFill: 0, timeUs: 0 });

test("a port that goes takes its device offline, and one that comes back brings it in by a birth", async () => {
  const { cloud, wire, told } = await open();
  const device = new EncodedDevice(1);
  wire.say(device.birthBytes);
  await wire.until(isWelcomeOf(77));
  wire.say(device.keyframe().bytes);
  await wire.until(isAckThrough(1));
  wire.unplug();
  expect(cloud.device("unit")?.status).toBe("offline");
  wire.say(device.residual().bytes);
  wire.plugIn();
  wire.say(device.birthBytes);
  await wire.until(() => wire.heard.filter(isWelcomeOf(77)).length === 2);
  expect(told).toEqual(["unit online", "unit offline", "unit online"]);
  expect(cloud.counters()["serial.closed"]).toBe(1);
});

test("after a restart a device in mid-sentence is known by a status of its boot, and asked for what is missing", async () => {
  const before = await open();
  const device = new EncodedDevice(2);
  const frames = device.frames(6);
  before.wire.say(device.birthBytes);
  await before.wire.until(isWelcomeOf(77));
  for (const { bytes } of frames.slice(0, 2)) before.wire.say(bytes);
  await before.wire.until(isAckThrough(2));
  await before.cloud.close();
  const { cloud, wire, told } = await open();
  for (const { bytes } of frames.slice(2, 4)) wire.say(bytes);
  expect(wire.heard).toEqual([]);
  expect(cloud.counters()["refused.unknown-device"]).toBe(2);
  wire.say(statusOf(77, 4));
  const asked = await wire.until((frame) => frame.kind === "ack" && frame.missing.length > 0);
  expect(asked).toMatchObject({ nonce: 77, epoch: 1, through: 2, missing: [{ from: 2, count: 2 }] });
  for (const { bytes } of frames.slice(2)) wire.say(bytes);
  await wire.until(isAckThrough(6));
  expect(told).toEqual(["unit online"]);
  expect(wire.heard.some(({ kind }) => kind === "refusal" || kind === "welcome")).toBe(false);
});

test("a boot that nobody knows is asked who it is", async () => {
  const { wire } = await open();
  wire.say(statusOf(5, 1));
  expect(await wire.until(() => true)).toEqual({ kind: "refusal", nonce: 5, reason: "unknown-device" });
});

test("another device at the line is taken for what it is, and the one before is offline", async () => {
  const { cloud, wire, told } = await open();
  const [first, second] = [new EncodedDevice(3), new EncodedDevice(4, { device: "other", nonce: 78 })];
  wire.say(first.birthBytes);
  await wire.until(isWelcomeOf(77));
  wire.say(second.birthBytes);
  await wire.until(isWelcomeOf(78));
  wire.say(second.keyframe().bytes);
  await wire.until(isAckThrough(1));
  expect(told).toEqual(["unit online", "unit offline", "other online"]);
  expect([cloud.device("unit")?.status, cloud.device("other")?.confirmed.samples]).not.toContain(0);
  wire.unplug();
  expect(told.at(-1)).toBe("other offline");
});

test("damage is counted by its reason, and an answer that the port does not take is asked for again", async () => {
  const { cloud, wire } = await open();
  const device = new EncodedDevice(5);
  wire.damage();
  expect(cloud.counters()["serial.bad-checksum"]).toBe(1);
  wire.isFull = true;
  wire.say(device.birthBytes);
  await wire.until(isWelcomeOf(77), wire.dropped);
  wire.isFull = false;
  wire.say(device.birthBytes);
  await wire.until(isWelcomeOf(77));
  expect(wire.heard.filter(isWelcomeOf(77))).toHaveLength(1);
});

test("a line on which nothing but damage comes is told once, until a frame comes", async () => {
  const warnings: string[] = [];
  const { wire } = await open({}, { ...SILENT_LOGGER, warn: (_, message) => void warnings.push(message) });
  for (let n = 0; n < 15; n += 1) wire.damage();
  wire.say(statusOf(5, 1));
  for (let n = 0; n < 15; n += 1) wire.damage();
  expect(warnings).toEqual([]);
  for (let n = 0; n < 40; n += 1) wire.damage();
  expect(warnings).toEqual([expect.stringContaining("is its rate right?")]);
});

test("a line that is left is closed, and so is every one when the node closes", async () => {
  const { cloud, wire } = await open();
  const [left, kept] = [new Wire(), new Wire()];
  const leave = cloud.attachLine("/dev/ttyLEFT", left);
  cloud.attachLine("/dev/ttyKEPT", kept);
  await leave();
  expect([left.calls, kept.calls]).toEqual([["close"], []]);
  await cloud.close();
  expect([left.calls, kept.calls, wire.calls]).toEqual([["close"], ["close"], ["close"]]);
});

test("a line is not read while the store is behind, and nothing is acknowledged before it is committed", async () => {
  let held = new HeldStore();
  const { cloud, wire } = await open({ store: (store) => (held = new HeldStore(store)) });
  const device = new EncodedDevice(6);
  wire.say(device.birthBytes);
  await (await held.next()).succeed();
  await wire.until(isWelcomeOf(77));
  let said = 0;
  for (; !wire.calls.includes("pause") && said < 60_000; said += 1)
    wire.say((said === 0 ? device.keyframe() : device.residual()).bytes);
  expect(wire.calls).toEqual(["pause"]);
  expect(wire.heard.some(({ kind }) => kind === "ack")).toBe(false);
  const release = async () => {
    for (;;) await (await held.next()).succeed();
  };
  void release();
  await wire.until(isAckThrough(said));
  expect(wire.calls).toEqual(["pause", "resume"]);
  await cloud.close();
});
