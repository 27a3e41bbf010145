import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ARBITRARY_FRAMES, FRAME_KINDS } from "./arbitrary-frame.suite.ts";
import {
  birthHash,
  decodeFrame,
  encodeFrame,
  type Frame,
  FrameError,
  isSequenced,
  type JobBlob,
  type JobSubmitFrame,
  type ResultFailedFrame,
  sequencedSeal,
} from "./index.ts";
import {
  plain,
  referenceBirthHash,
  referenceBytes,
  referenceDecode,
  referenceElements,
} from "./reference-encoder.suite.ts";

/** fast-check prints it, with the path to the smallest case, when a property fails. */
const SEED = 20_261_121;
const PRESENCE: Frame = { kind: "presence", nonce: 5, online: true };
const BLOB: JobBlob = { name: "a", sha256: "00".repeat(32), bytes: 0 };
const SUBMIT: JobSubmitFrame = {
  kind: "job",
  op: "submit",
  nonce: 0,
  workload: "a",
  params: Uint8Array.of(0x7b, 0x7d),
  inputs: [],
  salt: "",
  attempts: 0,
};
const FAILED: ResultFailedFrame = {
  kind: "result",
  op: "failed",
  nonce: 0,
  id: "00".repeat(32),
  state: "failed",
  code: "failed",
  message: "",
  attempts: 1,
};

describe.for(FRAME_KINDS)("any %s", (kind) => {
  const frames: fc.Arbitrary<Frame> = ARBITRARY_FRAMES[kind];

  test("decodes to the frame that was encoded", () => {
    fc.assert(
      fc.property(frames, (frame) => {
        expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test("has the bytes that cbor-x writes for SPEC.md's table, and reads back from them", () => {
    let compared = 0;
    fc.assert(
      fc.property(frames, (frame) => {
        const bytes = encodeFrame(frame);
        const elements = referenceDecode(bytes);
        const ours = plain(referenceElements(frame)) as unknown[];
        expect(Array.isArray(elements) && elements.slice(0, ours.length)).toEqual(ours);
        const reference = referenceBytes(frame);
        if (reference !== undefined) {
          expect(Buffer.from(bytes).toString("hex")).toBe(Buffer.from(reference).toString("hex"));
          compared++;
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
    expect(compared).toBeGreaterThan(100);
  });
});

test("the birth hash covers what cbor-x writes from the model to the channels, and nothing else", () => {
  fc.assert(
    fc.property(ARBITRARY_FRAMES.birth, (birth) => {
      const reference = referenceBirthHash(birth);
      expect(reference === undefined || birthHash(birth) === reference).toBe(true);
      expect(birthHash({ ...birth, device: "other", nonce: 1, epoch: 9 })).toBe(birthHash(birth));
      expect(birthHash({ ...birth, ringBytes: 1 + (birth.ringBytes % 1000) })).not.toBe(birthHash(birth));
    }),
    { seed: SEED },
  );
});

test("a sequenced seal changes with every byte before it, the device, the epoch, the seq and the state hash, and with nothing else", () => {
  const sequenced = fc.oneof(ARBITRARY_FRAMES.residual, ARBITRARY_FRAMES.keyframe, ARBITRARY_FRAMES.heartbeat);
  fc.assert(
    fc.property(sequenced, fc.nat(), (frame, pick) => {
      const bytes = encodeFrame(frame);
      const seal = sequencedSeal(bytes, "dev", 1, 2, 3);
      expect(isSequenced(frame)).toBe(true);
      expect(sequencedSeal(encodeFrame({ ...frame, seal: 0 }), "dev", 1, 2, 3)).toBe(seal);
      for (const [device, epoch, seq, stateHash] of [
        ["dev", 2, 2, 3],
        ["dev", 1, 3, 3],
        ["dev", 1, 2, 4],
        ["dev", 0xffff_ffff, 2, 3],
        ["dew", 1, 2, 3],
      ] as const) {
        expect(sequencedSeal(bytes, device, epoch, seq, stateHash)).not.toBe(seal);
      }
      const at = pick % (bytes.length - 5);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      expect(sequencedSeal(bytes, "dev", 1, 2, 3)).not.toBe(seal);
    }),
    { seed: SEED },
  );
});

test("bytes that do not end in a seal have none", () => {
  expect(() => sequencedSeal(Uint8Array.of(1, 2, 3, 4), "dev", 1, 2, 3)).toThrow("truncated");
  expect(() => sequencedSeal(new Uint8Array(20), "dev", 1, 2, 3)).toThrow("wrong-shape");
});

test("a decoded payload is a view of the bytes that were given, not a copy", () => {
  const bytes = encodeFrame({ kind: "fragment", id: 0, index: 0, count: 2, chunk: Uint8Array.of(1, 2, 3) });
  const frame = decodeFrame(bytes);
  expect(frame.kind === "fragment" && frame.chunk.buffer).toBe(bytes.buffer);
});

test("a frame is decoded where it lies in a larger buffer", () => {
  const bytes = encodeFrame(PRESENCE);
  const larger = new Uint8Array(bytes.length + 20).fill(0xff);
  larger.set(bytes, 10);
  expect(decodeFrame(larger.subarray(10, 10 + bytes.length))).toEqual(PRESENCE);
});

test("a frame of 65,535 bytes passes, one byte more is too large on both ways", () => {
  const frame = (payloadBytes: number): Frame => ({
    kind: "residual",
    position: 0,
    quiet: 0,
    samples: 0,
    hasEvents: false,
    hasLines: false,
    payload: new Uint8Array(payloadBytes),
    seal: 0,
  });
  const longest = encodeFrame(frame(65_535 - 13));
  expect(longest.length).toBe(65_535);
  expect(decodeFrame(longest).kind).toBe("residual");
  expect(() => encodeFrame(frame(65_535 - 12))).toThrow("frame: too-large at byte 0: have 65536, limit 65535");
  expect(() => decodeFrame(new Uint8Array(65_536))).toThrow("too-large");
});

test.for<[string, Frame]>([
  ["a fraction", { kind: "presence", nonce: 0.5, online: true }],
  ["a number that is none", { kind: "presence", nonce: Number.NaN, online: true }],
  ["a number beyond its field", { kind: "presence", nonce: 2 ** 32, online: true }],
  [
    "events beside lines",
    {
      kind: "residual",
      position: 0,
      quiet: 0,
      samples: 1,
      hasEvents: true,
      hasLines: true,
      payload: Uint8Array.of(1),
      seal: 0,
    },
  ],
  ["a negative number", { kind: "presence", nonce: -1, online: true }],
  [
    "an alias with a slash",
    { kind: "welcome", nonce: 0, epoch: 1, through: 0, alias: "a/b", ackAgeMs: 1000, timeUs: 0 },
  ],
  [
    "an alias of seven",
    { kind: "welcome", nonce: 0, epoch: 1, through: 0, alias: "1234567", ackAgeMs: 1000, timeUs: 0 },
  ],
  ["ranges out of order", { kind: "ack", nonce: 0, epoch: 1, through: 5, missing: [{ from: 4, count: 1 }] }],
  ["an index beyond the count", { kind: "fragment", id: 0, index: 2, count: 2, chunk: Uint8Array.of(1) }],
  [
    "a next below the oldest",
    { kind: "status", nonce: 0, epoch: 1, oldest: 2, next: 1, evicted: 0, ringFill: 0, timeUs: 0 },
  ],
  ["a fraction beyond all of it", progress(10_001)],
  ["the number that stands for an unknown fraction", progress(65_535)],
  ["a fraction that is none", progress(Number.NaN)],
  ["a job's id in upper case", { kind: "job", op: "ask", nonce: 0, id: "AA".repeat(32) }],
  ["inputs of the same name", { ...SUBMIT, inputs: [BLOB, BLOB] }],
  ["an input that is a negative number of bytes", { ...SUBMIT, inputs: [{ ...BLOB, bytes: -1 }] }],
  ["params beyond their limit", { ...SUBMIT, params: new Uint8Array(32_769) }],
  ["a line break in a failure's message", { ...FAILED, message: "a\nb" }],
  ["a failure without a code", { ...FAILED, code: "" }],
])("%s is refused when encoding", ([, frame]) => {
  expect(codeOf(() => encodeFrame(frame))).toBe("out-of-range");
});

test.for([
  ["a model of 31 bytes", { model: "00".repeat(31) }],
  ["a model in upper case", { model: "AA".repeat(32) }],
  ["a name with a lone surrogate", { firmware: "\ud800" }],
  ["a name with a control character", { firmware: "a\tb" }],
  ["a text that is long in bytes only", { firmware: "力".repeat(11) }],
  ["no channel", { channels: [] }],
] as const)("a birth with %s is refused when encoding", ([, change]) => {
  const [birth] = fc.sample(ARBITRARY_FRAMES.birth, { seed: SEED, numRuns: 1 });
  expect(codeOf(() => birth && encodeFrame({ ...birth, ...change }))).toBe("out-of-range");
});

test("a refusal says the code, the byte, the element and the limit", () => {
  const bytes = encodeFrame({ kind: "heartbeat", position: 0, quiet: 0, timeUs: 0, ringFill: 1000, seal: 0 });
  bytes[7] = 0xe9;
  expect(() => decodeFrame(bytes)).toThrow("frame: out-of-range at byte 5 (ring fill): have 1001, limit 1000");
  expect(() => decodeFrame(bytes.subarray(0, 7))).toThrow("frame: truncated at byte 5 (ring fill): need 8, have 7");
});

function progress(fraction: number): Frame {
  const id = "00".repeat(32);
  return { kind: "result", op: "progress", nonce: 0, id, state: "running", fraction, note: "", attempts: 1 };
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return error instanceof FrameError ? error.code : String(error);
  }
  return undefined;
}
