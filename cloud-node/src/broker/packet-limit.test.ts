import { expect, test } from "vitest";
import { SeededRandom } from "../test-device.suite.ts";
import { PacketLimit } from "./packet-limit.ts";

/** A type, the remaining length as MQTT writes it, and so many bytes. */
const PACKETS: readonly (readonly [number, readonly number[], number])[] = [
  [0x10, [0x0d], 13],
  [0x30, [0x03], 3],
  [0x32, [0xcd, 0x01], 205],
  [0x30, [0xa3, 0x9c, 0x01], 20_003],
  [0xc0, [0x00], 0],
  [0xe0, [0x00], 0],
];
const STREAM = Buffer.concat(
  PACKETS.map(([type, length, bytes]) => Buffer.from([type, ...length, ...new Uint8Array(bytes).fill(0xff)])),
);

test("packets are counted, however the stream is cut", () => {
  const random = new SeededRandom(3);
  for (let round = 0; round < 200; round += 1) {
    const limit = new PacketLimit(30_000);
    for (let at = 0; at < STREAM.length; ) {
      const end = at + 1 + random.below(round % 2 === 0 ? 3 : 5_000);
      expect(limit.push(STREAM.subarray(at, end))).toBe(true);
      at = end;
    }
    expect(limit.packets).toBe(PACKETS.length);
    expect(limit.isWithin).toBe(false);
  }
});

test("a packet is begun from its first byte to its last", () => {
  const limit = new PacketLimit(100);
  const bytes = [0x30, 0x02, 1, 2];
  for (const [at, byte] of bytes.entries()) {
    limit.push(Uint8Array.of(byte));
    expect(limit.isWithin).toBe(at < bytes.length - 1);
  }
});

test("a packet of the limit is taken, and one byte more is refused at its length", () => {
  expect(new PacketLimit(300).push(Uint8Array.of(0x30, 0xac, 0x02))).toBe(true);
  expect(new PacketLimit(299).push(Uint8Array.of(0x30, 0xac, 0x02))).toBe(false);
});

test("a length that never ends is refused at its fourth byte", () => {
  const limit = new PacketLimit(2 ** 30);
  expect(limit.push(Uint8Array.of(0x30, 0x80, 0x80, 0x80))).toBe(true);
  expect(limit.push(Uint8Array.of(0x80))).toBe(false);
});
