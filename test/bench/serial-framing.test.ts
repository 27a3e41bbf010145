import { seededRandom } from "@lockstep/sim";
import { expect, test } from "vitest";
import { cobsDecode, cobsEncode, crc16, encodeSerialFrame, SerialDeframer } from "./serial-framing.ts";

const run = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test.each([
  [[0], [1, 1]],
  [
    [0, 0],
    [1, 1, 1],
  ],
  [
    [0x11, 0x22, 0, 0x33],
    [3, 0x11, 0x22, 2, 0x33],
  ],
  [
    [0x11, 0, 0, 0],
    [2, 0x11, 1, 1, 1],
  ],
  [run(1, 254), [0xff, ...run(1, 254)]],
  [
    [0, ...run(1, 254)],
    [1, 0xff, ...run(1, 254)],
  ],
  [run(1, 255), [0xff, ...run(1, 254), 2, 0xff]],
  [
    [...run(2, 255), 0],
    [0xff, ...run(2, 255), 1, 1],
  ],
])("bytes are stuffed as the published examples are (%#)", (bytes, stuffed) => {
  expect([...cobsEncode(Uint8Array.from(bytes))]).toEqual(stuffed);
  expect([...(cobsDecode(Uint8Array.from(stuffed)) ?? [])]).toEqual(bytes);
});

test("the checksum of the digits 1 to 9 is the one that catalogues of checksums print", () => {
  expect(crc16(new TextEncoder().encode("123456789"))).toBe(0x29b1);
});

test("a frame costs four bytes more on the line, and one more for every 254 beyond", () => {
  expect(encodeSerialFrame(new Uint8Array(51).fill(7)).length).toBe(55);
  expect(encodeSerialFrame(new Uint8Array(600).fill(7)).length).toBe(606);
});

test("frames come whole out of any chunks, and a damaged one is left out", () => {
  const random = seededRandom(3);
  const frames = Array.from({ length: 40 }, () =>
    Uint8Array.from({ length: 1 + Math.floor(600 * random.uniform()) }, () => Math.floor(20 * random.uniform())),
  );
  const line = frames.flatMap((frame) => [...encodeSerialFrame(frame)]);
  const damaged = line.slice();
  damaged[2] = (damaged[2] ?? 0) === 1 ? 2 : 1;
  for (const [bytes, expected] of [
    [line, frames],
    [damaged, frames.slice(1)],
  ] as const) {
    const deframer = new SerialDeframer();
    const found: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + Math.floor(50 * random.uniform());
      found.push(...deframer.push(Uint8Array.from(bytes.slice(at, at + size))));
      at += size;
    }
    expect(found.map((frame) => [...frame])).toEqual(expected.map((frame) => [...frame]));
  }
});
