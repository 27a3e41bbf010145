import { expect, test } from "vitest";
import { BitReader, BitWriter } from "./bits.ts";
import { huffmanDecode, huffmanEncode } from "./huffman.ts";

test("the code of a textbook has the textbook's length", () => {
  // Lengths 1, 2, 3, 3 for counts 5, 2, 1, 1; the table is four lengths, and a run of zeros behind them
  const bytes = Uint8Array.from([0, 0, 0, 0, 0, 1, 1, 2, 3]);
  const bits = 32 + 4 * 4 + (4 + 8) + (5 * 1 + 2 * 2 + 3 + 3);
  expect(huffmanEncode(bytes).length).toBe(Math.ceil(bits / 8));
  expect(huffmanDecode(huffmanEncode(bytes))).toEqual(bytes);
});

test.for([
  ["nothing", []],
  ["one value", new Array<number>(100).fill(7)],
  ["every value", [...new Array(256).keys()]],
  ["counts whose code would be too long", fibonacciBytes(24)],
] as const)("bytes come back: %s", ([, values]) => {
  const bytes = Uint8Array.from(values);
  expect(huffmanDecode(huffmanEncode(bytes))).toEqual(bytes);
});

test("bits are read as they were written, and zeros after them", () => {
  const writer = new BitWriter();
  const fields = [
    [5, 3],
    [0, 0],
    [0xdeadbeef, 32],
    [1, 1],
    [300, 9],
  ] as const;
  for (const [value, bits] of fields) writer.write(value, bits);
  const reader = new BitReader(writer.finish());
  for (const [value, bits] of fields) expect(reader.read(bits)).toBe(value);
  reader.align();
  expect(reader.read(8)).toBe(0);
});

/** Values counted by Fibonacci numbers make the deepest tree. */
function fibonacciBytes(values: number): number[] {
  const counts = [1, 1];
  while (counts.length < values) counts.push((counts.at(-1) ?? 0) + (counts.at(-2) ?? 0));
  return counts.flatMap((count, value) => new Array<number>(count).fill(value));
}
