import { expect, test } from "vitest";
import { readElfSizes } from "./elf-sizes.ts";

const CODE = { type: 1, flags: 6, bytes: 100 };
const CONSTANTS = { type: 1, flags: 2, bytes: 20 };
const DATA = { type: 1, flags: 3, bytes: 7 };
const ZEROED = { type: 8, flags: 3, bytes: 4000 };
const SYMBOLS = { type: 2, flags: 0, bytes: 999 };

test.for([true, false])("sections are summed by what they take on a device (64 bit: %s)", (isWide) => {
  expect(readElfSizes(elf(isWide, [CODE, CODE, CONSTANTS, DATA, ZEROED, SYMBOLS]))).toEqual({
    codeBytes: 200,
    constantBytes: 20,
    dataBytes: 7,
    zeroedBytes: 4000,
  });
});

test("a file of another kind has no sizes", () => {
  expect(readElfSizes(new Uint8Array(100))).toBeNull();
  expect(readElfSizes(Uint8Array.of(0x7f, 0x45))).toBeNull();
});

test.for([true, false])(
  "a file that was cut off is told by a typed error, wherever it was cut (64 bit: %s)",
  (isWide) => {
    const whole = elf(isWide, [CODE, DATA]);
    for (let bytes = 65; bytes < whole.length; bytes++) {
      const cut = expect.objectContaining({ code: "wrong-firmware", facts: expect.objectContaining({ bytes }) });
      expect(() => readElfSizes(whole.subarray(0, bytes))).toThrow(cut);
    }
  },
);

test("section headers that are too short to be any are refused", () => {
  const file = elf(false, [CODE, DATA]);
  new DataView(file.buffer).setUint16(46, 8, true);
  expect(() => readElfSizes(file)).toThrow(expect.objectContaining({ code: "wrong-firmware" }));
});

/** An ELF file of section headers alone. */
function elf(isWide: boolean, sections: readonly { type: number; flags: number; bytes: number }[]): Uint8Array {
  const headerBytes = isWide ? 64 : 40;
  const view = new DataView(new ArrayBuffer(64 + headerBytes * sections.length));
  view.setUint32(0, 0x7f454c46);
  view.setUint8(4, isWide ? 2 : 1);
  view.setUint8(5, 1);
  if (isWide) view.setBigUint64(40, 64n, true);
  else view.setUint32(32, 64, true);
  view.setUint16(isWide ? 58 : 46, headerBytes, true);
  view.setUint16(isWide ? 60 : 48, sections.length, true);
  for (const [i, { type, flags, bytes }] of sections.entries()) {
    const at = 64 + i * headerBytes;
    view.setUint32(at + 4, type, true);
    view.setUint32(at + 8, flags, true);
    view.setUint32(at + (isWide ? 32 : 20), bytes, true);
  }
  return new Uint8Array(view.buffer);
}
