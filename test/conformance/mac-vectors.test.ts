import { createHmac } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { addMac, bootKeyMessage, decodeFrame, FrameError, splitMac } from "@lockstep/protocol";
import { expect, test } from "vitest";

/** Sealed frames as they are golden, by the host's functions and by the device's module. */
const FOLDER = new URL("../../protocol/vectors/mac/", import.meta.url);
const WASM = new WebAssembly.Module(readFileSync(new URL("../../edge-sdk/build/mac.wasm", import.meta.url)));
const NAMES = readdirSync(FOLDER).filter((file) => file.endsWith(".json"));
/** Where the module has its keys, and what it does. */
interface MacModule {
  readonly memory: WebAssembly.Memory;
  readonly MAC_LINK_KEY: WebAssembly.Global;
  readonly MAC_BOOT_KEYS: WebAssembly.Global;
  readonly MAC_PIECE: WebAssembly.Global;
  readonly MAC_MEMORY_BYTES: WebAssembly.Global;
  macBoot(nonce: number, nameLength: number): void;
  macSeal(at: number, length: number): number;
  macOpen(at: number, length: number): number;
}

function vector(name: string) {
  const { device, direction, nonce, ...rest } = JSON.parse(readFileSync(new URL(name, FOLDER), "utf8"));
  const bytes = (field: string) => new Uint8Array(Buffer.from(rest[field], "hex"));
  const [key, bootKey, frame, sealed] = [bytes("key"), bytes("bootKey"), bytes("frame"), bytes("sealed")];
  return { device, direction, nonce, key, bootKey, frame, sealed } as const;
}

test("there are vectors of both directions", () => {
  const directions = new Set(NAMES.map((name) => vector(name).direction));
  expect(NAMES.length).toBeGreaterThan(15);
  expect([...directions].sort()).toEqual(["down", "up"]);
});

test.for(NAMES)(
  "%s: the host makes its keys and its MAC, takes it off, and refuses it where nobody asks for one",
  (name) => {
    const { device, direction, nonce, key, bootKey, frame, sealed } = vector(name);
    expect(
      createHmac("sha256", key)
        .update(bootKeyMessage(direction, nonce, device))
        .digest(),
    ).toEqual(Buffer.from(bootKey));
    const macOf = (covered: Uint8Array) => createHmac("sha256", bootKey).update(covered).digest();
    expect(addMac(frame, macOf)).toEqual(sealed);
    const split = splitMac(sealed) ?? expect.fail("no seal of twelve");
    expect(split.frame).toEqual(frame);
    expect(Buffer.from(split.mac)).toEqual(macOf(split.covered).subarray(0, 8));
    expect(() => decodeFrame(frame)).not.toThrow();
    expect(() => decodeFrame(sealed)).toThrow(FrameError);
  },
);

test.for(NAMES)("%s: so does the device's module", (name) => {
  const { device, direction, nonce, key, bootKey, frame, sealed } = vector(name);
  const calls = new WebAssembly.Instance(WASM).exports as unknown as MacModule;
  const memory = new Uint8Array(calls.memory.buffer);
  memory.set(key, calls.MAC_LINK_KEY.value);
  const text = new TextEncoder().encode(device);
  memory.set(text, calls.MAC_PIECE.value);
  calls.macBoot(nonce, text.length);
  const keyAt = calls.MAC_BOOT_KEYS.value + (direction === "up" ? 0 : 32);
  expect(memory.slice(keyAt, keyAt + 32)).toEqual(bootKey);
  const at = calls.MAC_MEMORY_BYTES.value;
  if (direction === "up") {
    memory.set(frame, at);
    expect(calls.macSeal(at, frame.length)).toBe(sealed.length);
    expect(memory.slice(at, at + sealed.length)).toEqual(sealed);
  } else {
    memory.set(sealed, at);
    expect(calls.macOpen(at, sealed.length)).toBe(frame.length);
    expect(memory.slice(at, at + frame.length)).toEqual(frame);
  }
});
