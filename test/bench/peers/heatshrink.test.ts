import { expect, test } from "vitest";
import { heatshrinkEncode } from "./heatshrink.ts";

test("a byte that was not there before takes nine bits, a match thirteen", () => {
  // 1 and the byte, twice; then 0, distance 2 less one, length 4 less one
  expect([...heatshrinkEncode(Uint8Array.of(0xab, 0xcd, 0xab, 0xcd, 0xab, 0xcd))]).toEqual([
    0b1_1010101, 0b1_1_110011, 0b01_0_00000, 0b001_0011_0,
  ]);
});

test("the window starts with zeros, and a match is sixteen bytes at most", () => {
  expect([...heatshrinkEncode(new Uint8Array(17))]).toEqual([0b0_0000000, 0b0_1111_1_00, 0]);
});

test("what lies more than 256 bytes back is no match", () => {
  // Every byte once, so that nothing matches but what is repeated
  const noise = Uint8Array.from({ length: 256 }, (_, i) => (i * 167) & 255);
  const near = heatshrinkEncode(Uint8Array.of(...noise, ...noise.slice(0, 16))).length;
  expect(near - heatshrinkEncode(noise).length).toBeLessThanOrEqual(2);
  // One byte between puts the same bytes 257 back: eight of 9 bits each are 9 bytes
  const between = Uint8Array.of(...noise, 7);
  const far = heatshrinkEncode(Uint8Array.of(...between, ...noise.slice(0, 8))).length;
  expect(far - heatshrinkEncode(between).length).toBe(9);
});
