import { Encoder } from "cbor-x";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ANY_SLOT,
  decodeManifest,
  encodeManifest,
  FrameError,
  formatVersion,
  MAX_MANIFEST_BYTES,
  parseVersion,
  sessionId,
  signedMessage,
  type UpdateManifest,
} from "./index.ts";

const SEED = 20_261_121;
const ENCODER = new Encoder({ useRecords: false, tagUint8Array: false, variableMapSize: true });
const SHA = "0f".repeat(32);
const MODULE: UpdateManifest = {
  form: "module",
  target: "module",
  abi: 1,
  slot: ANY_SLOT,
  version: 0x0102_0003,
  length: 18_120,
  sha256: SHA,
  model: SHA,
  memoryBytes: 65_536,
  stackBytes: 0,
  test: { channels: 2, samples: 64, seed: 7, digest: "a5".repeat(32) },
};
const IMAGE: UpdateManifest = {
  ...MODULE,
  form: "image",
  target: "mps2-an386/rotor-twin",
  slot: 1,
  model: "11".repeat(32),
};

const MANIFESTS: fc.Arbitrary<UpdateManifest> = fc
  .record({
    form: fc.constantFrom("image" as const, "module" as const),
    target: fc.string({ unit: fc.constantFrom(..."az09/-_."), minLength: 1, maxLength: 32 }),
    abi: u32(),
    slot: fc.constantFrom(0, 1),
    version: u32(),
    length: u32(1),
    sha256: digest(),
    model: digest(),
    memoryBytes: u32(),
    stackBytes: u32(),
    test: fc.record({
      channels: fc.integer({ min: 1, max: 16 }),
      samples: fc.integer({ min: 1, max: 65_535 }),
      seed: u32(),
      digest: digest(),
    }),
  })
  .map((manifest) => (manifest.form === "image" ? manifest : { ...manifest, slot: ANY_SLOT, model: manifest.sha256 }));

test("any manifest decodes to what was encoded, in the bytes that cbor-x writes for SPEC.md's table", () => {
  fc.assert(
    fc.property(MANIFESTS, (manifest) => {
      const bytes = encodeManifest(manifest);
      expect(bytes.length).toBeLessThanOrEqual(MAX_MANIFEST_BYTES);
      expect(decodeManifest(bytes)).toEqual(manifest);
      expect(Buffer.from(bytes).toString("hex")).toBe(Buffer.from(reference(manifest)).toString("hex"));
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test("a manifest with any byte changed, left out or put in is refused with a FrameError, or is another manifest in its only form", () => {
  let refused = 0;
  for (const manifest of [MODULE, IMAGE]) {
    const bytes = encodeManifest(manifest);
    for (let at = 0; at < bytes.length; at++) {
      const changed = [0, 1, 0x20, 0x80, 0xff].map((value) => bytes.with(at, (bytes[at] ?? 0) ^ value ^ 0x10));
      const cut = Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + 1)]);
      const grown = Uint8Array.from([...bytes.slice(0, at), 0, ...bytes.slice(at)]);
      for (const wrong of [...changed, cut, grown, bytes.slice(0, at)]) {
        const decoded = decodeOrRefuse(wrong);
        if (decoded === undefined) refused++;
        else expect(encodeManifest(decoded)).toEqual(wrong);
      }
    }
  }
  expect(refused).toBeGreaterThan(500);
});

test.for<[string, Partial<UpdateManifest>]>([
  ["a module for one slot", { slot: 0 }],
  ["an image for any slot", { form: "image", target: "board" }],
  ["a module that is not its own model", { model: "22".repeat(32) }],
  ["an empty body", { length: 0 }],
  ["no target", { target: "" }],
  ["a target of 33 bytes", { target: "a".repeat(33) }],
  ["a target with a control character", { target: "a\n" }],
  ["a test of no samples", { test: { ...MODULE.test, samples: 0 } }],
  ["a test of seventeen channels", { test: { ...MODULE.test, channels: 17 } }],
  ["a version beyond 32 bits", { version: 2 ** 32 }],
  ["a short digest", { sha256: "00" }],
])("%s is out of range", ([, change]) => {
  expect(() => encodeManifest({ ...MODULE, ...change })).toThrow("out-of-range");
});

test("another format is refused as such, and too many bytes as too large", () => {
  const bytes = encodeManifest(MODULE);
  expect(() => decodeManifest(bytes.with(1, 2))).toThrow("frame: unsupported-version at byte 1: have 2, limit 1");
  expect(() => decodeManifest(new Uint8Array(MAX_MANIFEST_BYTES + 1))).toThrow("too-large");
});

test("a session's id is the start of the manifest's SHA-256, and what is signed says what it is for", () => {
  expect(sessionId(new TextEncoder().encode("abc"))).toBe(0xba78_16bf);
  expect(Buffer.from(signedMessage(Uint8Array.of(1, 2))).toString("latin1")).toBe("lockstep update 1\0\x01\x02");
});

test("versions are three numbers, and back", () => {
  expect(parseVersion("1.2.3")).toBe(0x0102_0003);
  expect(formatVersion(0xffff_ffff)).toBe("255.255.65535");
  for (const text of ["1.2", "1.2.3.4", "01.2.3", "256.0.0", "0.256.0", "0.0.65536", "-1.0.0", "1.2.x", ""]) {
    expect(parseVersion(text), text).toBeUndefined();
  }
  fc.assert(
    fc.property(u32(), (version) => {
      expect(parseVersion(formatVersion(version))).toBe(version);
    }),
    { seed: SEED },
  );
});

function reference(manifest: UpdateManifest): Uint8Array {
  const { target, abi, slot, version, length, sha256, model, memoryBytes, stackBytes, test: own } = manifest;
  const form = manifest.form === "image" ? 0 : 1;
  const vector = [own.channels, own.samples, own.seed, Buffer.from(own.digest, "hex")];
  const digests = [Buffer.from(sha256, "hex"), Buffer.from(model, "hex")];
  return new Uint8Array(
    ENCODER.encode([1, form, target, abi, slot, version, length, ...digests, memoryBytes, stackBytes, vector]),
  );
}

function decodeOrRefuse(bytes: Uint8Array): UpdateManifest | undefined {
  try {
    return decodeManifest(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(FrameError);
    return undefined;
  }
}

function u32(min = 0): fc.Arbitrary<number> {
  return fc.oneof(
    fc.integer({ min, max: 0xffff_ffff }),
    fc.constantFrom(Math.max(min, 23), 24, 255, 256, 65_535, 65_536),
  );
}

function digest(): fc.Arbitrary<string> {
  return fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("hex"));
}
