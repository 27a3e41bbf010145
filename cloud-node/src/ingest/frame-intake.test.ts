import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AckFrame, birthHash, decodeFrame, encodeFrame, type Frame, split } from "@lockstep/protocol";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../clock.ts";
import { openHistory } from "../history/history.ts";
import { SILENT_LOGGER } from "../logger.ts";
import { CloudNode } from "../node.ts";
import { ENCODED_BOUND, EncodedDevice, type EncodedFrame } from "../reconstructor/encoded-device.suite.ts";
import { BatchBuilder } from "../store/batch-builder.ts";
import { CommitQueue } from "../store/commit-queue.ts";
import { SqliteStore } from "../store/sqlite-store.ts";
import { SeededRandom } from "../test-device.suite.ts";
import type { LoopbackEnd } from "./loopback-link.ts";

let folder = "";
let node: CloudNode | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-intake-"));
});

afterEach(async () => {
  await node?.close();
  node = undefined;
  rmSync(folder, { recursive: true });
});

async function open(): Promise<CloudNode> {
  node = await CloudNode.open({
    storeFile: join(folder, "store.db"),
    broker: null,
    logger: SILENT_LOGGER,
    clock: systemClock(),
    acks: { everyFrames: 1, ageMs: 10 },
  });
  return node;
}

/** A connection on which a test says every byte. */
class Wire implements LoopbackEnd {
  readonly heard: Frame[] = [];
  send: (bytes: Uint8Array) => void = (bytes) => {
    const frame = decodeFrame(bytes);
    this.heard.push(frame);
    for (const waiter of this.#waiters) waiter(frame);
  };
  #say: ((bytes: Uint8Array) => void) | undefined;
  readonly #waiters = new Set<(frame: Frame) => void>();

  listen(handlers: Parameters<LoopbackEnd["listen"]>[0]): void {
    handlers.connected();
    this.#say = handlers.message;
  }

  drop(): void {
    this.#say = undefined;
  }

  say(bytes: Uint8Array): void {
    this.#say?.(bytes);
  }

  until<F extends Frame>(isMet: (frame: Frame) => frame is F): Promise<F> {
    const known = this.heard.find(isMet);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => {
      const waiter = (frame: Frame) => {
        if (!isMet(frame)) return;
        this.#waiters.delete(waiter);
        resolve(frame);
      };
      this.#waiters.add(waiter);
    });
  }
}

const isKind =
  <K extends Frame["kind"]>(kind: K) =>
  (frame: Frame): frame is Extract<Frame, { kind: K }> =>
    frame.kind === kind;

const isAckThrough =
  (through: number) =>
  (frame: Frame): frame is Extract<Frame, { kind: "ack" }> =>
    frame.kind === "ack" && frame.through >= through;

async function connect(cloud: CloudNode, birth: Uint8Array): Promise<Wire> {
  const wire = new Wire();
  cloud.attach(wire);
  wire.say(birth);
  await wire.until(isKind("welcome"));
  return wire;
}

/** One seeded change of a message: a bit, a byte, a cut, something more, something of another message. */
function mutate(bytes: Uint8Array, other: Uint8Array, random: SeededRandom): Uint8Array {
  const at = random.below(bytes.length);
  switch (random.below(5)) {
    case 0:
      return bytes.with(at, (bytes[at] ?? 0) ^ (1 << random.below(8)));
    case 1:
      return bytes.with(at, random.below(256));
    case 2:
      return bytes.slice(0, at);
    case 3:
      return Uint8Array.from([...bytes.slice(0, at), random.below(256), ...bytes.slice(at)]);
    default:
      return Uint8Array.from([...bytes.slice(0, at), ...other.slice(at)]);
  }
}

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

async function expectHistory(device: string, frames: readonly EncodedFrame[]): Promise<void> {
  const truth = frames.flatMap(({ samples }) => samples);
  const history = await openHistory(join(folder, "store.db"));
  let i = 0;
  for (const { values } of history.samples(device)) {
    for (const value of values) {
      expect(Math.abs(value - (truth[i] ?? Number.NaN))).toBeLessThanOrEqual(ENCODED_BOUND);
      i += 1;
    }
  }
  history.close();
  expect(i).toBe(truth.length);
}

test("10,000 mutated frames and births among the true ones confirm no wrong value and lose none", async () => {
  const cloud = await open();
  const device = new EncodedDevice(1);
  const wire = await connect(cloud, device.birthBytes);
  const random = new SeededRandom(2);
  const frames = device.frames(250);
  let mutations = 0;
  for (const [i, { bytes }] of frames.entries()) {
    const near = frames.slice(Math.max(0, i - 2), i + 3).map((frame) => frame.bytes);
    for (let trial = 0; trial < 40; trial++) {
      const source = random.below(20) === 0 ? device.birthBytes : (near[random.below(near.length)] ?? bytes);
      const changed = mutate(source, near[random.below(near.length)] ?? bytes, random);
      // A change may give back the message, or another true one.
      if (!near.some((frame) => same(frame, changed)) && !same(changed, device.birthBytes)) wire.say(changed);
      mutations += 1;
    }
    wire.say(bytes);
    if (i % 50 === 49) await wire.until(isAckThrough(i + 1));
  }
  expect(mutations).toBe(10_000);
  await wire.until(isAckThrough(frames.length));
  const view = cloud.device("unit");
  expect(view?.lost).toEqual({ samples: 0, gaps: 0 });
  expect(view?.refused).toBeGreaterThan(5_000);
  expect(cloud.devices().length).toBe(1);
  expect(wire.heard.filter(isKind("resync"))).toEqual([]);
  await cloud.close();
  await expectHistory("unit", frames);
});

test("frames in pieces for a link of 51 bytes are the frames", async () => {
  const cloud = await open();
  const device = new EncodedDevice(3);
  const wire = new Wire();
  cloud.attach(wire);
  for (const piece of split(device.birthBytes, 51, 65_536 + 77)) wire.say(encodeFrame(piece));
  await wire.until(isKind("welcome"));
  const frames = device.frames(60);
  for (const { seq, bytes } of frames) {
    const pieces = split(bytes, 51, seq);
    if (pieces.length === 0) wire.say(bytes);
    for (const piece of pieces.toReversed()) wire.say(encodeFrame(piece));
  }
  await wire.until(isAckThrough(frames.length));
  await cloud.close();
  await expectHistory("unit", frames);
});

test("a birth of a model that nobody registered is refused by name and leaves nothing behind", async () => {
  const cloud = await open();
  const { birth } = new EncodedDevice(4);
  const wire = new Wire();
  cloud.attach(wire);
  wire.say(encodeFrame({ ...birth, model: "ab".repeat(32) }));
  expect(await wire.until(isKind("refusal"))).toEqual({ kind: "refusal", nonce: 77, reason: "unknown-model" });
  expect(cloud.counters()["refused.unknown-model"]).toBe(1);
  expect(cloud.devices()).toEqual([]);
});

test("a birth that its own module cannot be set up with is refused", async () => {
  const cloud = await open();
  const { birth } = new EncodedDevice(5);
  const wire = new Wire();
  cloud.attach(wire);
  const channels = birth.channels.map((channel) => ({ ...channel, lattice: 0xffff_ffff }));
  wire.say(encodeFrame({ ...birth, channels }));
  expect((await wire.until(isKind("refusal"))).reason).toBe("bad-birth");
});

test("frames before a birth, a second name on a connection, and what only the cloud says are refused and counted", async () => {
  const cloud = await open();
  const device = new EncodedDevice(6);
  const stranger = new Wire();
  cloud.attach(stranger);
  stranger.say(device.keyframe().bytes);
  const status = {
    kind: "status",
    nonce: 9,
    epoch: 1,
    oldest: 0,
    next: 1,
    evicted: 0,
    ringFill: 0,
    timeUs: 0,
  } as const;
  stranger.say(encodeFrame(status));
  expect(await stranger.until(isKind("refusal"))).toMatchObject({ nonce: 9, reason: "unknown-device" });
  const wire = await connect(cloud, device.birthBytes);
  wire.say(encodeFrame({ ...device.birth, device: "somebody-else" }));
  wire.say(encodeFrame({ kind: "ack", nonce: 77, epoch: 1, through: 5, missing: [] }));
  wire.say(new Uint8Array(70_000));
  wire.say(device.birthBytes.with(1, 0x18));
  expect(cloud.counters()).toMatchObject({
    "refused.unknown-device": 2,
    "refused.other-device": 1,
    "refused.wrong-direction": 1,
    "refused.too-large": 1,
  });
});

test("a frame of another wire version is counted, and not held against the device, whose frame may be damaged", async () => {
  const cloud = await open();
  const device = new EncodedDevice(7);
  const wire = await connect(cloud, device.birthBytes);
  // Head 16 · version + kind: a residual of version 0.
  wire.say(Uint8Array.from([0x85, 0, 0, 0, 0, 0x40, 0x44, 0, 0, 0, 0]));
  expect(cloud.counters()).toMatchObject({ "refused.unsupported-version": 1 });
  wire.say(device.keyframe().bytes);
  await wire.until(isAckThrough(1));
  expect(wire.heard.filter(isKind("refusal"))).toEqual([]);
  expect(cloud.device("unit")?.status).toBe("live");
});

test("a boot that is not the one born here has to say who it is", async () => {
  const cloud = await open();
  const device = new EncodedDevice(8);
  const wire = await connect(cloud, device.birthBytes);
  wire.say(encodeFrame({ kind: "status", nonce: 5, epoch: 1, oldest: 0, next: 1, evicted: 0, ringFill: 0, timeUs: 0 }));
  expect(await wire.until(isKind("refusal"))).toMatchObject({ nonce: 5, reason: "unknown-device" });
});

test("a boot that asks for an epoch gets one of its own, the same when it asks again, and never one of another boot", async () => {
  const cloud = await open();
  const { birth } = new EncodedDevice(9);
  const welcomed = async (nonce: number, epoch: number) => {
    const wire = new Wire();
    cloud.attach(wire);
    wire.say(encodeFrame({ ...birth, nonce, epoch }));
    return (await wire.until(isKind("welcome"))).epoch;
  };
  expect(await welcomed(1, 0)).toBe(1);
  expect(await welcomed(1, 0)).toBe(1);
  expect(await welcomed(2, 0)).toBe(2);
  expect(await welcomed(3, 1)).toBe(3);
  expect(await welcomed(4, 9)).toBe(9);
  await cloud.close();
  const again = await open();
  expect(again.device("unit")?.epoch).toBe(9);
});

test("frames that a boot left in the ring and nobody has heard of are taken into an epoch of their own", async () => {
  const cloud = await open();
  const offline = new EncodedDevice(10, { epoch: 1, nonce: 1 });
  const online = new EncodedDevice(11, { epoch: 2, nonce: 2 });
  const wire = await connect(cloud, online.birthBytes);
  const old = offline.frames(5);
  wire.say(encodeFrame({ kind: "status", nonce: 2, epoch: 1, oldest: 0, next: 5, evicted: 0, ringFill: 0, timeUs: 0 }));
  for (const { bytes } of old) wire.say(bytes);
  expect(await wire.until(isAckThrough(5))).toMatchObject({ epoch: 1, nonce: 2 });
  const fresh = online.frames(6);
  for (const { bytes } of fresh) wire.say(bytes);
  expect(await wire.until(isAckThrough(6))).toMatchObject({ epoch: 2, nonce: 2 });
  await cloud.close();
  await expectHistory("unit", [...old, ...fresh]);
});

test("frames of a model that this node lacks are neither judged nor given up, and its history says which one it needs", async () => {
  const storeFile = join(folder, "store.db");
  const device = new EncodedDevice(12);
  const birth = { ...device.birth, model: "ab".repeat(32) };
  const hash = birthHash(birth);
  const store = new SqliteStore(storeFile);
  const batch = new BatchBuilder();
  batch.addRecord({ table: "device", id: "unit", key: 1 });
  batch.addRecord({ table: "birth", device: 1, hash, bytes: encodeFrame(birth) });
  batch.addRecord({ table: "epoch", device: 1, epoch: 1, nonce: 77, birthHash: hash, openedUs: 0 });
  const { frame } = device.keyframe();
  if (frame.kind !== "keyframe") throw new RangeError(frame.kind);
  batch.addFrame("add", 1, 1, 0, encodeFrame({ ...frame, birthHash: hash }));
  await store.commit(batch.build());
  await store.close();
  const cloud = await open();
  const wire = new Wire();
  cloud.attach(wire);
  wire.say(encodeFrame(birth));
  await wire.until(isKind("refusal"));
  wire.say(device.residual().bytes);
  wire.say(
    encodeFrame({ kind: "status", nonce: 77, epoch: 1, oldest: 5, next: 9, evicted: 0, ringFill: 0, timeUs: 0 }),
  );
  expect(cloud.counters()["frames.unknown-model"]).toBe(1);
  expect(wire.heard.map(({ kind }) => kind)).toEqual(["refusal", "refusal"]);
  await cloud.close();
  const history = await openHistory(storeFile);
  expect(history.gaps("unit")).toEqual([]);
  expect(() => [...history.samples("unit")]).toThrow(expect.objectContaining({ code: "unknown-model" }));
  history.close();
});

test("a device whose epochs are used up is refused, and the node goes on", async () => {
  const cloud = await open();
  const device = new EncodedDevice(13, { epoch: 0xffff_ffff });
  const wire = await connect(cloud, device.birthBytes);
  wire.say(encodeFrame({ ...device.birth, nonce: 78, epoch: 0 }));
  expect(await wire.until(isKind("refusal"))).toEqual({ kind: "refusal", nonce: 78, reason: "bad-birth" });
  wire.say(device.keyframe().bytes);
  await wire.until(isAckThrough(1));
});

test("a device that claims a nanosecond's period and weeks of silence costs a view no more than any other", async () => {
  const cloud = await open();
  const device = new EncodedDevice(14, { periodNs: 1, silenceMs: 0xffff_ffff });
  const wire = await connect(cloud, device.birthBytes);
  wire.say(device.keyframe().bytes);
  await wire.until(isAckThrough(1));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const [newest, ahead] = cloud.device("unit")?.latest ?? [];
  expect(ahead?.state).toBe("extrapolated");
  // 65,536 samples of one nanosecond after the last one.
  expect((ahead?.timeUs ?? 0) - (newest?.timeUs ?? 0)).toBeLessThanOrEqual(66);
});

test("a loss of more samples than a store can tell is declared with the most that it can", async () => {
  const cloud = await open();
  const device = new EncodedDevice(15, { periodNs: 500, silenceMs: 1 });
  const wire = await connect(cloud, device.birthBytes);
  wire.say(device.keyframe().bytes);
  device.residual();
  device.lose(1.8e16);
  const { seq, bytes } = device.keyframe();
  const end = { epoch: 1, oldest: seq, next: seq + 1, evicted: 10, ringFill: 0, timeUs: 0 };
  wire.say(encodeFrame({ kind: "status", nonce: 77, ...end }));
  wire.say(bytes);
  await wire.until(isAckThrough(seq + 1));
  await cloud.close();
  const again = await open();
  expect(again.device("unit")?.lost).toEqual({ samples: Number.MAX_SAFE_INTEGER, gaps: 1 });
});

test("a listener that looks at other twins in the middle of a frame never makes their values confirmed ones", async () => {
  const cloud = await open();
  const other = new EncodedDevice(16, { device: "other" });
  const otherWire = await connect(cloud, other.birthBytes);
  otherWire.say(other.keyframe().bytes);
  await otherWire.until(isAckThrough(1));
  const device = new EncodedDevice(17);
  const wire = await connect(cloud, device.birthBytes);
  wire.say(device.keyframe().bytes);
  await wire.until(isAckThrough(1));
  await new Promise((resolve) => setTimeout(resolve, 50));
  let looks = 0;
  cloud.onEvent(({ kind }) => {
    if (kind === "gap-lost") looks += cloud.devices().filter(({ latest }) => latest.length === 2).length;
  });
  device.residual();
  const { seq, bytes, samples } = device.keyframe();
  const end = { epoch: 1, oldest: seq, next: seq + 1, evicted: 10, ringFill: 0, timeUs: 0 };
  wire.say(encodeFrame({ kind: "status", nonce: 77, ...end }));
  wire.say(bytes);
  await wire.until(isAckThrough(seq + 1));
  expect(looks).toBeGreaterThan(0);
  const shown = cloud.device("unit")?.recent(0, samples.length / 2) ?? [];
  expect(shown.length).toBe(samples.length / 2);
  for (const [i, { value }] of shown.entries()) {
    expect(Math.abs(value - (samples[2 * i] ?? Number.NaN))).toBeLessThanOrEqual(ENCODED_BOUND);
  }
});

test("a boot is not asked for frames that went with an earlier one, unless it says that it has them", async () => {
  const cloud = await open();
  const first = new EncodedDevice(18, { epoch: 1, nonce: 1 });
  const wire = await connect(cloud, first.birthBytes);
  const [begin, lost, late] = [first.keyframe(), first.residual(), first.residual()];
  wire.say(begin.bytes);
  wire.say(late.bytes);
  await wire.until((frame): frame is AckFrame => frame.kind === "ack" && frame.missing.length > 0);
  const second = new EncodedDevice(19, { epoch: 2, nonce: 2 });
  const heir = await connect(cloud, second.birthBytes);
  // Long enough for the hole to be asked for again, twice.
  await new Promise((resolve) => setTimeout(resolve, 900));
  const isQuestion = (frame: Frame) => frame.kind === "ack" && frame.nonce === 2 && frame.missing.length > 0;
  expect([...wire.heard, ...heir.heard].filter(isQuestion)).toEqual([]);
  heir.say(encodeFrame({ kind: "status", nonce: 2, epoch: 1, oldest: 1, next: 3, evicted: 0, ringFill: 0, timeUs: 0 }));
  const asked = (frame: Frame): frame is AckFrame => frame.kind === "ack" && frame.missing[0]?.count === 2;
  expect((await heir.until(asked)).missing).toEqual([{ from: 1, count: 2 }]);
  heir.say(lost.bytes);
  heir.say(late.bytes);
  expect(await heir.until(isAckThrough(3))).toMatchObject({ epoch: 1, nonce: 2 });
});

test("frames of an old connection, read after the birth on the new one, do not bring it back", async () => {
  const cloud = await open();
  const device = new EncodedDevice(1);
  const old = new Wire();
  const leave = cloud.attach(old);
  old.say(device.birthBytes);
  await old.until(isKind("welcome"));
  const fresh = await connect(cloud, device.birthBytes);
  old.say(device.keyframe().bytes);
  leave();
  expect(cloud.device("unit")?.online).toBe(true);
  await fresh.until(isAckThrough(1));
});

test("a birth is dropped while too much waits for the disk, and taken when it comes again", async () => {
  const cloud = await open();
  const device = new EncodedDevice(1);
  const wire = new Wire();
  cloud.attach(wire);
  const full = vi.spyOn(CommitQueue.prototype, "isFull", "get").mockReturnValue(true);
  onTestFinished(() => full.mockRestore());
  for (let i = 0; i < 3; i += 1) wire.say(device.birthBytes);
  expect(cloud.counters()["births.back-pressure"]).toBe(3);
  expect(cloud.load().waitingBytes).toBe(0);
  full.mockRestore();
  wire.say(device.birthBytes);
  expect(cloud.load().waitingBytes).toBeGreaterThan(device.birthBytes.length);
  await wire.until(isKind("welcome"));
});
