import { murmur3 } from "@lockstep/protocol";
import { expect, test } from "vitest";
import { RawCloud } from "./raw-cloud.ts";
import { RawDevice } from "./raw-device.ts";

/** The largest u32, as CBOR. */
const LAST = [0x1a, 255, 255, 255, 255];

/** A device that was welcomed, with at least two frames. */
function welcomed(): RawDevice {
  const device = new RawDevice({ channels: 1, e: 0, frameSamples: 10 });
  const cloud = new RawCloud();
  device.core.linkConnected(device.nowMs);
  for (const { bytes } of device.poll()) for (const answer of cloud.take(bytes)) device.receive(answer);
  for (let t = 0; t < 40; t++) device.sample([t * t]);
  return device;
}

/** An ack written by hand: head 16 + 4, nonce, epoch 1, through 1, the holes' numbers as CBOR, seal. */
function ack(...holes: readonly (readonly number[])[]): Uint8Array {
  const content = [0x86, 0x14, 0x1a, 0xde, 0xca, 0xfb, 0xad, 1, 1, 0x80 + holes.length, ...holes.flat()];
  const sealed = Uint8Array.from([...content, 0x44, 0, 0, 0, 0]);
  new DataView(sealed.buffer).setUint32(content.length + 1, murmur3(0, Uint8Array.from(content)));
  return sealed;
}

test.for([
  ["a second below the first", [[3], [1], [2], [1]]],
  ["a second that begins within the first", [[4], [2], [5], [1]]],
  ["one below what is confirmed", [[0], [1]]],
  ["an empty one", [[4], [0]]],
  ["one that passes the last number", [LAST, [2]]],
  ["one after the last number", [LAST, [1], [3], [1]]],
  ["half of one", [[4]]],
] as const)("an ack is refused whose holes have %s", ([, holes]) => {
  expect(welcomed().receive(ack(...holes))).toBe(-39);
});

test.for([
  ["none", []],
  ["one at what is confirmed", [[1], [1]]],
  ["two that touch", [[4], [2], [6], [1]]],
  ["one that ends with the last number", [[4], [1], LAST, [1]]],
] as const)("an ack is heard whose holes are %s", ([, holes]) => {
  expect(welcomed().receive(ack(...holes))).toBe(4);
});
