import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BOOT_RECORD_BYTES, type BootRecord, decodeBootRecord, encodeBootRecord, firstRecord } from "./boot-record.ts";
import { selfTestDigest } from "./self-test.ts";
import { parseTrustedKeys } from "./trusted-key.ts";
import { UpdateDevice } from "./update-device.ts";
import { UpdateError } from "./update-error.ts";
import { fileUpdateStore, memoryUpdateStore } from "./update-store.ts";

const RECORD: BootRecord = {
  sequence: 0xffff_ffff,
  keptSlot: 1,
  triedSlot: 0,
  bootsLeft: 3,
  sid: 0x0102_0304,
  confirmedVersion: 0x0100_0002,
  verdict: 15,
  detail: 0xdead_beef,
  traps: 65_535,
};
const KEY = Buffer.alloc(32, 0xa5).toString("base64url");
const DEVICE_WASM = readFileSync(new URL("../build/device.wasm", import.meta.url));
const UPDATE_WASM = readFileSync(new URL("../build/update.wasm", import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-store-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

test("a boot record is read as it was written, and refused with any bit turned or byte missing", () => {
  for (const record of [RECORD, firstRecord(7), { ...RECORD, triedSlot: undefined }]) {
    const bytes = encodeBootRecord(record);
    expect(decodeBootRecord(bytes)).toEqual(record);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      expect(decodeBootRecord(bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))))).toBeUndefined();
    }
    expect(decodeBootRecord(bytes.slice(0, -1))).toBeUndefined();
  }
  expect(decodeBootRecord(new Uint8Array(BOOT_RECORD_BYTES))).toBeUndefined();
  expect(decodeBootRecord(new Uint8Array(BOOT_RECORD_BYTES).fill(0xff))).toBeUndefined();
});

test.for(["memory", "files"] as const)(
  "a store in %s reads what was programmed, and 0xff where nothing was",
  (kind) => {
    const store = kind === "memory" ? memoryUpdateStore() : fileUpdateStore(join(folder, "new"));
    expect(store.read(1, 4000, 200)).toEqual(new Uint8Array(200).fill(0xff));
    store.program(1, 4090, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    store.erase(1, 4096);
    expect([...store.read(1, 4089, 9)]).toEqual([0xff, 1, 2, 3, 4, 5, 6, 0xff, 0xff]);
    expect(store.read(0, 4090, 1)).toEqual(Uint8Array.of(0xff));
    expect(decodeBootRecord(store.readRecord(0))).toBeUndefined();
    store.writeRecord(1, encodeBootRecord(RECORD));
    expect(decodeBootRecord(store.readRecord(1))).toEqual(RECORD);
    expect(decodeBootRecord(store.readRecord(0))).toBeUndefined();
    store.close();
  },
);

test("a store in files outlives the process, and one that cannot be kept says where", () => {
  const first = fileUpdateStore(folder);
  first.program(0, 0, Uint8Array.of(9));
  first.writeRecord(0, encodeBootRecord(RECORD));
  first.close();
  const second = fileUpdateStore(folder);
  expect(second.read(0, 0, 2)).toEqual(Uint8Array.of(9, 0xff));
  expect(decodeBootRecord(second.readRecord(0))).toEqual(RECORD);
  second.close();
  writeFileSync(join(folder, "file"), "");
  expect(() => fileUpdateStore(join(folder, "file"))).toThrow(/^update: cannot keep updates in .*file/);
});

test("writes that fail again and again tear one copy of the boot record, and never the other", () => {
  const store = memoryUpdateStore();
  let isFull = false;
  const writeRecord = (copy: number, bytes: Uint8Array): void => {
    store.writeRecord(copy, isFull ? bytes.slice(0, 9) : bytes);
    if (isFull) throw new UpdateError("store", { folder, problem: "no space left" });
  };
  const [key] = parseTrustedKeys(`ed25519:${KEY}`, "keys");
  const options = {
    machine: UPDATE_WASM,
    store: { ...store, writeRecord },
    keys: key === undefined ? [] : [key],
    builtIn: { wasm: DEVICE_WASM, version: 0 },
  };
  const device = new UpdateDevice(options);
  for (const known of [1, 2]) {
    isFull = false;
    device.trapped("trapped");
    isFull = true;
    for (let i = 0; i < 3; i++) expect(() => device.trapped("trapped")).toThrow(UpdateError);
    expect(new UpdateDevice(options).record.traps).toBe(known);
  }
});

test("keys are read one a line, with remarks and empty lines between", () => {
  const keys = parseTrustedKeys(`# release\n\ned25519:${KEY}\n  hmac:${KEY}\n`, "keys");
  expect(keys.map(({ algorithm }) => algorithm)).toEqual(["ed25519", "hmac-sha256"]);
  expect(keys.every(({ bytes }) => Buffer.from(bytes).equals(Buffer.alloc(32, 0xa5)))).toBe(true);
});

test.for([
  ["nothing", ""],
  ["another algorithm", `rsa:${KEY}`],
  ["a byte less", `ed25519:${Buffer.alloc(31).toString("base64url")}`],
  ["a byte more", `ed25519:${Buffer.alloc(33).toString("base64url")}`],
  ["padding", `ed25519:${KEY}=`],
  ["bits that stand for nothing", `ed25519:${KEY.slice(0, -1)}V`],
  ["a private key", "-----BEGIN PRIVATE KEY-----"],
])("%s is no key, and the line is named", ([, text]) => {
  const failing = () => parseTrustedKeys(`# first\n${text}`, "release.key");
  expect(failing).toThrow(UpdateError);
  expect(failing).toThrow(text === "" ? "release.key is no key" : "line 2 of release.key is no key");
});

test("a self-test's digest follows from module, size and seed, and nothing else", () => {
  const digest = selfTestDigest(DEVICE_WASM, 2, 64, 7);
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(selfTestDigest(new Uint8Array(DEVICE_WASM), 2, 64, 7)).toBe(digest);
  const others = [
    selfTestDigest(DEVICE_WASM, 3, 64, 7),
    selfTestDigest(DEVICE_WASM, 2, 63, 7),
    selfTestDigest(DEVICE_WASM, 2, 64, 8),
  ];
  expect(new Set([digest, ...others]).size).toBe(4);
});
