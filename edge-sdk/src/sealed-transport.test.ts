import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  addMac,
  bootKeyMessage,
  decodeFrame,
  encodeFrame,
  type Frame,
  Reassembler,
  splitMac,
} from "@lockstep/protocol";
import { expect, test } from "vitest";
import { compileMacModule } from "./link-seal.ts";
import { sealTransport } from "./sealed-transport.ts";
import type { OutTopic, Transport, TransportEvents } from "./transport.ts";

const MODULE = compileMacModule(new Uint8Array(readFileSync(new URL("../build/mac.wasm", import.meta.url))));
const KEY = Uint8Array.from({ length: 32 }, (_, i) => i);
const DEVICE = "unit";
const NONCE = 0x1234_5678;
const LINK = { key: { module: MODULE, bytes: KEY }, device: DEVICE, nonce: NONCE, mtu: 0 };
const STATUS: Frame = {
  kind: "status",
  nonce: NONCE,
  epoch: 1,
  oldest: 0,
  next: 9,
  evicted: 0,
  ringFill: 3,
  timeUs: 2 ** 40,
};

/** A transport on which a test sees and says every message. */
class Wire implements Transport {
  readonly sent: { readonly topic: OutTopic; readonly bytes: Uint8Array }[] = [];
  /** Messages that are taken before one is refused. */
  room = Number.POSITIVE_INFINITY;
  will: Uint8Array | undefined;
  events: TransportEvents | undefined;

  async open(events: TransportEvents, will: Uint8Array): Promise<void> {
    this.events = events;
    this.will = will;
  }

  send(topic: OutTopic, bytes: Uint8Array): boolean {
    if (this.room === 0) return false;
    this.room -= 1;
    this.sent.push({ topic, bytes: bytes.slice() });
    return true;
  }

  useAlias(): void {}
  async close(): Promise<void> {}
  async destroy(): Promise<void> {}
}

/** What a session hears. */
function listener() {
  const heard: Uint8Array[] = [];
  const told: string[] = [];
  const events: TransportEvents = {
    connected: () => told.push("connected"),
    disconnected: () => told.push("disconnected"),
    drained: () => told.push("drained"),
    message: (bytes) => heard.push(bytes),
  };
  return { heard, told, events };
}

function macOf(direction: "up" | "down", nonce = NONCE, key = KEY) {
  const bootKey = createHmac("sha256", key)
    .update(bootKeyMessage(direction, nonce, DEVICE))
    .digest();
  return (covered: Uint8Array) => createHmac("sha256", bootKey).update(covered).digest();
}

test("what is said is sealed for the boot, the will too, and is the frame itself without its MAC", async () => {
  const wire = new Wire();
  const transport = sealTransport(wire, LINK);
  const will = encodeFrame({ kind: "presence", nonce: NONCE, online: false });
  await transport.open(listener().events, will);
  const status = encodeFrame(STATUS);
  expect(transport.send("frames", status)).toBe(true);
  expect(wire.sent).toEqual([{ topic: "frames", bytes: addMac(status, macOf("up")) }]);
  expect(wire.will).toEqual(addMac(will, macOf("up")));
});

test("what is heard is opened; without its MAC, or with another's, it is not heard", async () => {
  const wire = new Wire();
  const { heard, events } = listener();
  await sealTransport(wire, LINK).open(events, encodeFrame(STATUS));
  const ack = encodeFrame({ kind: "ack", nonce: NONCE, epoch: 1, through: 9, missing: [] });
  wire.events?.message(addMac(ack, macOf("down")));
  expect(heard).toEqual([ack]);
  const forged = [
    ack,
    addMac(ack, macOf("up")),
    addMac(ack, macOf("down", NONCE + 1)),
    addMac(ack, macOf("down", NONCE, new Uint8Array(32))),
    new Uint8Array(),
    new Uint8Array(65_535).fill(0x4c),
  ];
  for (const bytes of forged) wire.events?.message(bytes);
  expect(heard).toEqual([ack]);
});

test("a frame that is longer than a message may be is cut after it is sealed, and goes whole or not at all", async () => {
  const wire = new Wire();
  const { told, events } = listener();
  const transport = sealTransport(wire, { ...LINK, mtu: 32 });
  const status = encodeFrame(STATUS);
  await transport.open(events, status);
  wire.room = 1;
  expect(transport.send("frames", status)).toBe(true);
  expect(wire.sent.length).toBe(1);
  // The rest of it goes first, or the far end would never have it whole.
  expect(transport.send("frames", status)).toBe(false);
  wire.room = 1;
  wire.events?.drained();
  wire.room = Number.POSITIVE_INFINITY;
  wire.events?.drained();
  expect(told).toContain("drained");
  const fragments = new Reassembler();
  let whole: Uint8Array | undefined;
  for (const { bytes } of wire.sent) {
    expect(bytes.length).toBeLessThanOrEqual(32);
    const frame = decodeFrame(bytes);
    if (frame.kind !== "fragment") expect.fail(frame.kind);
    expect(frame.id).toBe(0x1_0000 + (NONCE & 0xffff));
    whole = fragments.push(frame) ?? whole;
  }
  expect(whole).toEqual(addMac(status, macOf("up")));
  expect(splitMac(whole ?? status)?.frame).toEqual(status);
});

test("the rest of a frame that was cut is not sent on a new connection", async () => {
  const wire = new Wire();
  const { events } = listener();
  const transport = sealTransport(wire, { ...LINK, mtu: 32 });
  await transport.open(events, encodeFrame(STATUS));
  wire.room = 1;
  transport.send("frames", encodeFrame(STATUS));
  wire.room = Number.POSITIVE_INFINITY;
  wire.events?.disconnected("cut");
  wire.events?.connected();
  wire.events?.drained();
  expect(wire.sent.length).toBe(1);
});

test("a key that is no 32 bytes is refused, with how many it has", () => {
  for (const length of [0, 16, 31, 33]) {
    const key = { module: MODULE, bytes: new Uint8Array(length) };
    expect(() => sealTransport(new Wire(), { ...LINK, key })).toThrow(`a link key of ${length} bytes: it has 32`);
  }
});
