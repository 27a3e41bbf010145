import { expect, test } from "vitest";
import { murmur3, murmur3Words } from "./murmur3.ts";

/** Published for MurmurHash3_x86_32, by several implementations alike. */
const PUBLISHED = [
  [0x00000000, "", 0x00000000],
  [0x00000001, "", 0x514e28b7],
  [0xffffffff, "", 0x81f16f39],
  [0x00000000, "test", 0xba6bd213],
  [0x9747b28c, "test", 0x704b81dc],
  [0x00000000, "Hello, world!", 0xc0363e43],
  [0x000004d2, "Hello, world!", 0xfaf6cdb3],
  [0x9747b28c, "Hello, world!", 0x24884cba],
  [0x00000000, "The quick brown fox jumps over the lazy dog", 0x2e4ff723],
  [0x9747b28c, "The quick brown fox jumps over the lazy dog", 0x2fa826cd],
  [0x9747b28c, "aaaa", 0x5a97808a],
  [0x9747b28c, "aaa", 0x283e0130],
  [0x9747b28c, "aa", 0x5d211726],
  [0x9747b28c, "a", 0x7fa09ea6],
] as const;

test.for(PUBLISHED)("with seed %i, %j hashes to its published value", ([seed, text, hash]) => {
  expect(murmur3(seed, new TextEncoder().encode(text))).toBe(hash);
});

test("bytes with the top bit set are taken as unsigned", () => {
  expect(murmur3(0, Uint8Array.of(0xff, 0xff, 0xff, 0xff))).toBe(0x76293b50);
  expect(murmur3(0, Uint8Array.of(0x21, 0x43, 0x65, 0x87))).toBe(0xf55b516b);
  expect(murmur3(0x5082edee, Uint8Array.of(0x21, 0x43, 0x65, 0x87))).toBe(0x2362f9de);
});

test("words hash as their little-endian bytes", () => {
  const bytes = Uint8Array.of(0x21, 0x43, 0x65, 0x87, 0xff, 0xff, 0xff, 0xff);
  expect(murmur3Words(7, [0x87654321, 0xffffffff])).toBe(murmur3(7, bytes));
});
