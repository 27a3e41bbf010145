import { expect, test } from "vitest";
import { AdaptiveCoder } from "./adaptive-coder.ts";
import { CONTEXTS, codeSigned, codeUnsigned } from "./adaptive-integers.ts";

test("bits come back from what they were coded to", () => {
  const bits = Array.from({ length: 5000 }, (_, i) => (Math.imul(i, 2654435761) >>> 29 === 0 ? 1 : 0));
  const encoder = new AdaptiveCoder(3);
  bits.forEach((bit, i) => {
    if (i % 7 === 0) encoder.rawBit(bit);
    else encoder.bit(i % 3, bit);
  });
  const decoder = new AdaptiveCoder(3, encoder.finish());
  expect(bits.map((_, i) => (i % 7 === 0 ? decoder.rawBit(0) : decoder.bit(i % 3, 0)))).toEqual(bits);
});

test("a bit that never changes costs next to nothing, a random one costs a bit", () => {
  const always = new AdaptiveCoder(1);
  for (let i = 0; i < 8000; i++) always.bit(0, 1);
  expect(always.finish().length).toBeLessThan(12);
  const random = new AdaptiveCoder(1);
  for (let i = 0; i < 8000; i++) random.rawBit((Math.imul(i + 1, 2654435761) >>> 31) & 1);
  expect(random.finish().length).toBeLessThanOrEqual(1001);
});

test("nothing coded is no bytes", () => {
  expect(new AdaptiveCoder(1).finish()).toEqual(new Uint8Array());
});

const MAGNITUDES = [0, 1, 2, 3, 4, 7, 8, 255, 256, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2];

test("integers of every size come back, of both signs", () => {
  const encoder = new AdaptiveCoder(CONTEXTS.unsigned + CONTEXTS.signed);
  for (const value of MAGNITUDES) {
    codeUnsigned(encoder, 0, value);
    codeSigned(encoder, CONTEXTS.unsigned, value, 0);
    codeSigned(encoder, CONTEXTS.unsigned, -value, 1);
  }
  const decoder = new AdaptiveCoder(CONTEXTS.unsigned + CONTEXTS.signed, encoder.finish());
  for (const value of MAGNITUDES) {
    expect(codeUnsigned(decoder, 0, 0)).toBe(value);
    expect(codeSigned(decoder, CONTEXTS.unsigned, 0, 0)).toBe(value);
    expect(codeSigned(decoder, CONTEXTS.unsigned, 0, 1)).toBe(value === 0 ? 0 : -value);
  }
});
