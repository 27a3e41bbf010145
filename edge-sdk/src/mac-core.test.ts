import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { beforeEach, expect, test } from "vitest";
import { SEED, SeededNoise } from "./codec-signals.suite.ts";

/** `mac.wasm` by itself, against published codes and Node's. */
const WASM = new WebAssembly.Module(readFileSync(new URL("../build/mac.wasm", import.meta.url)));
const UP = 0;
const DOWN = 1;
const PIECE_BYTES = 64;
const KEY_BYTES = 32;
const MAC_BYTES = 8;
const CHECKSUM = Uint8Array.of(0x44, 1, 2, 3, 4);

interface Calls {
  readonly memory: WebAssembly.Memory;
  macBoot(nonce: number, nameLength: number): void;
  macBegin(direction: number): void;
  macUpdate(length: number): void;
  macFinish(direction: number): void;
  macMatches(direction: number): number;
  macSeal(at: number, length: number): number;
  macOpen(at: number, length: number): number;
}

let calls: Calls;
let globals: Readonly<Record<string, WebAssembly.Global>>;
beforeEach(() => {
  const { exports } = new WebAssembly.Instance(WASM);
  calls = exports as unknown as Calls;
  globals = exports as unknown as Readonly<Record<string, WebAssembly.Global>>;
});

const noise = new SeededNoise(SEED);
const random = (length: number) => Uint8Array.from({ length }, () => noise.uint32() >>> 24);
const address = (name: string): number => globals[name]?.value ?? expect.fail(name);
const at = (place: number, length: number) => new Uint8Array(calls.memory.buffer, place, length);
const hmac = (key: Uint8Array, message: Uint8Array) => createHmac("sha256", key).update(message).digest();
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** The code of a message that is given in pieces. */
function codeOf(direction: number, message: Uint8Array, pieceBytes = PIECE_BYTES): Uint8Array {
  feed(direction, message, pieceBytes);
  calls.macFinish(direction);
  return at(address("MAC_CODE"), KEY_BYTES).slice();
}

function feed(direction: number, message: Uint8Array, pieceBytes: number): void {
  calls.macBegin(direction);
  for (let from = 0; from < message.length; from += pieceBytes) {
    const piece = message.subarray(from, from + pieceBytes);
    at(address("MAC_PIECE"), piece.length).set(piece);
    calls.macUpdate(piece.length);
  }
}

function setBootKey(direction: number, key: Uint8Array): void {
  at(address("MAC_BOOT_KEYS") + KEY_BYTES * direction, KEY_BYTES)
    .fill(0)
    .set(key);
}

function boot(key: Uint8Array, nonce: number, name: string): void {
  at(address("MAC_LINK_KEY"), KEY_BYTES).set(key);
  const bytes = new TextEncoder().encode(name);
  at(address("MAC_PIECE"), bytes.length).set(bytes);
  calls.macBoot(nonce, bytes.length);
}

/** @see RFC 4231, 4.2 to 4.5: a key shorter than the hash's block is filled up with zeros, so that of these it is one of 32 bytes */
test.for([
  [Buffer.alloc(20, 0x0b), Buffer.from("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
  [
    Buffer.from("Jefe"),
    Buffer.from("what do ya want for nothing?"),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  ],
  [Buffer.alloc(20, 0xaa), Buffer.alloc(50, 0xdd), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
  [
    Buffer.from({ length: 25 }).map((_, i) => i + 1),
    Buffer.alloc(50, 0xcd),
    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
  ],
] as const)("the published code of example %#", ([key, message, code]) => {
  for (const direction of [UP, DOWN]) {
    setBootKey(direction, key);
    for (const pieceBytes of [1, 7, PIECE_BYTES]) expect(hex(codeOf(direction, message, pieceBytes))).toBe(code);
  }
});

test("a boot's keys are Node's for every length of name, and differ by nonce, name and direction", () => {
  const seen = new Set<string>();
  for (const name of ["a", "unit", "x".repeat(63), "x".repeat(64)]) {
    for (const nonce of [0, 1, 0x1234_5678, 0xffff_ffff]) {
      const key = random(KEY_BYTES);
      boot(key, nonce, name);
      for (const direction of [UP, DOWN]) {
        const place = Buffer.alloc(5);
        place.writeUInt8(direction);
        place.writeUInt32BE(nonce, 1);
        const message = Buffer.concat([Buffer.from("lockstep link 1\0", "latin1"), place, Buffer.from(name)]);
        const found = hex(at(address("MAC_BOOT_KEYS") + KEY_BYTES * direction, KEY_BYTES));
        expect(found, `${name}, ${nonce}, seed ${SEED}`).toBe(hex(hmac(key, message)));
        seen.add(found);
      }
    }
  }
  expect(seen.size).toBe(32);
});

test("a frame sealed in place has Node's MAC for every length around the hash's blocks, and opens to what it was", () => {
  const [up, down] = [random(KEY_BYTES), random(KEY_BYTES)];
  setBootKey(UP, up);
  setBootKey(DOWN, down);
  const place = address("MAC_MEMORY_BYTES");
  for (const before of [1, 2, 44, 49, 50, 51, 58, 59, 60, 114, 115, 300, 4200]) {
    const frame = Uint8Array.from([...random(before), ...CHECKSUM]);
    const covered = frame.with(before, 0x4c);
    at(place, frame.length).set(frame);
    expect(calls.macSeal(place, frame.length)).toBe(frame.length + MAC_BYTES);
    const sealed = at(place, frame.length + MAC_BYTES).slice();
    expect(hex(sealed), `${before}, seed ${SEED}`).toBe(hex(covered) + hex(hmac(up, covered).subarray(0, MAC_BYTES)));
    // What went up does not come down.
    expect(calls.macOpen(place, sealed.length)).toBe(-1);
    at(place, sealed.length).set([...covered, ...hmac(down, covered).subarray(0, MAC_BYTES)]);
    expect(calls.macOpen(place, sealed.length)).toBe(frame.length);
    expect(hex(at(place, frame.length))).toBe(hex(frame));
  }
});

test("a MAC with any one bit wrong is refused, whole and in pieces, and the frame stays as it was", () => {
  const key = random(KEY_BYTES);
  setBootKey(DOWN, key);
  const covered = Uint8Array.from([...random(30), 0x4c, ...CHECKSUM.subarray(1)]);
  const mac = hmac(key, covered).subarray(0, MAC_BYTES);
  const place = address("MAC_MEMORY_BYTES");
  for (let bit = 0; bit < 8 * MAC_BYTES; bit++) {
    const wrong = Uint8Array.from(mac);
    wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const sealed = Uint8Array.from([...covered, ...wrong]);
    at(place, sealed.length).set(sealed);
    expect(calls.macOpen(place, sealed.length), `bit ${bit}`).toBe(-1);
    expect(hex(at(place, sealed.length))).toBe(hex(sealed));
    feed(DOWN, covered, PIECE_BYTES);
    at(address("MAC_PIECE"), MAC_BYTES).set(wrong);
    expect(calls.macMatches(DOWN), `bit ${bit}, in pieces`).toBe(0);
  }
  feed(DOWN, covered, PIECE_BYTES);
  at(address("MAC_PIECE"), MAC_BYTES).set(mac);
  expect(calls.macMatches(DOWN)).toBe(1);
});

test("what does not end in a seal is neither sealed nor opened", () => {
  const place = address("MAC_MEMORY_BYTES");
  for (const message of [[], [0x44], [0x44, 1, 2, 3, 4], [0, 0x4c, 1, 2, 3, 4], [0, 0x45, 1, 2, 3, 4]]) {
    at(place, message.length).set(message);
    expect(calls.macSeal(place, message.length)).toBe(-1);
    expect(calls.macOpen(place, message.length)).toBe(-1);
  }
  at(place, 14).fill(0);
  expect(calls.macOpen(place, 14)).toBe(-1);
  expect(calls.macOpen(place, 13)).toBe(-1);
});
