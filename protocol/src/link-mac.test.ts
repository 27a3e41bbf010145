import { expect, test } from "vitest";
import { decodeFrame, encodeFrame } from "./frame-codec.ts";
import { addMac, bootKeyMessage, MAC_BYTES, splitMac } from "./link-mac.ts";

const ASK = encodeFrame({ kind: "flash", op: "ask", nonce: 7 });
const code = Uint8Array.from({ length: 32 }, (_, i) => 100 + i);

test("a MAC is put on and taken off without changing anything else", () => {
  const before = ASK.slice();
  let covered: Uint8Array = new Uint8Array();
  const sealed = addMac(ASK, (bytes) => {
    covered = bytes.slice();
    return code;
  });
  expect(ASK).toEqual(before);
  expect(sealed.length).toBe(ASK.length + MAC_BYTES);
  const split = splitMac(sealed);
  expect(split?.frame).toEqual(ASK);
  expect(split?.covered).toEqual(covered);
  expect(split?.mac).toEqual(code.subarray(0, MAC_BYTES));
  expect(covered).toEqual(ASK.with(ASK.length - 5, 0x4c));
});

test("the bytes that are taken apart stay as they are, also in a Buffer, whose slices are views", () => {
  const sealed = addMac(ASK, () => code);
  const buffer = Buffer.from(sealed);
  expect(splitMac(buffer)?.frame).toEqual(ASK);
  expect(buffer.equals(sealed)).toBe(true);
});

test("what has no seal of twelve is left alone, and what has no seal of four gets none", () => {
  expect(splitMac(ASK)).toBeUndefined();
  expect(splitMac(new Uint8Array(5))).toBeUndefined();
  expect(splitMac(new Uint8Array())).toBeUndefined();
  expect(() => addMac(new Uint8Array(10), () => code)).toThrow("wrong-shape");
  expect(() => addMac(new Uint8Array(), () => code)).toThrow("wrong-shape");
});

test("a sealed frame is refused by whoever asks for no MAC, at its seal", () => {
  const sealed = addMac(ASK, () => code);
  expect(() => decodeFrame(sealed)).toThrow(`out-of-range at byte ${ASK.length - 5}`);
});

test("the message of a boot's key tells direction, nonce and name apart", () => {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const label = Buffer.from("lockstep link 1\0", "latin1").toString("hex");
  expect(hex(bootKeyMessage("up", 0x0102_0304, "ab"))).toBe(`${label}00010203046162`);
  expect(hex(bootKeyMessage("down", 0xffff_ffff, ""))).toBe(`${label}01ffffffff`);
});
