import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeStreamFrame, StreamDeframer } from "./stream-framing.ts";

const SEED = 12;

test("frames come out as they went in, however the stream is cut", () => {
  const frames = fc.array(fc.uint8Array({ minLength: 1, maxLength: 400, size: "max" }), { maxLength: 12, size: "max" });
  fc.assert(
    fc.property(
      frames,
      fc.infiniteStream(fc.oneof(fc.constant(1), fc.nat({ max: 5 }), fc.nat({ max: 900 }))),
      (sent, cuts) => {
        const stream = concat(sent.map(encodeStreamFrame));
        const deframer = new StreamDeframer();
        const received: Uint8Array[] = [];
        for (let at = 0; at < stream.length; ) {
          const bytes = cuts.next().value ?? 1;
          received.push(...deframer.push(stream.slice(at, at + bytes)));
          at += bytes;
        }
        expect(received.map(hex)).toEqual(sent.map(hex));
        expect(deframer.pendingBytes).toBe(0);
      },
    ),
    { seed: SEED, numRuns: 500 },
  );
});

test("the longest frame passes byte by byte and whole", () => {
  const frame = Uint8Array.from({ length: 65_535 }, (_, i) => i % 251);
  const stream = encodeStreamFrame(frame);
  const deframer = new StreamDeframer();
  const received = Array.from(stream, (byte) => deframer.push(Uint8Array.of(byte))).flat();
  expect(received.map(hex)).toEqual([hex(frame)]);
  expect(deframer.push(stream).map(hex)).toEqual([hex(frame)]);
});

test("frames returned earlier stay as they are when the stream goes on", () => {
  const deframer = new StreamDeframer();
  deframer.push(Uint8Array.of(0, 3, 1));
  const [first] = deframer.push(Uint8Array.of(2, 3, 0));
  deframer.push(Uint8Array.of(3, 9, 9, 9));
  expect(first && hex(first)).toBe("010203");
});

test("a frame that has begun is told by its pending bytes, and its claimed length reserves nothing", () => {
  const deframer = new StreamDeframer();
  expect(deframer.push(Uint8Array.of(0xff))).toEqual([]);
  expect(deframer.pendingBytes).toBe(1);
  deframer.push(Uint8Array.of(0xff, 7));
  expect(deframer.pendingBytes).toBe(3);
});

test.for([
  ["at once", [[0, 0]]],
  ["in two chunks", [[0], [0]]],
  [
    "after a frame",
    [
      [0, 1, 7],
      [0, 0, 0],
    ],
  ],
  [
    "behind a frame begun earlier",
    [
      [0, 2, 7],
      [7, 0, 0],
    ],
  ],
] as const)("a length of 0 is refused %s, and so is all that follows", ([, chunks]) => {
  const deframer = new StreamDeframer();
  expect(() => chunks.map((chunk) => deframer.push(Uint8Array.from(chunk)))).toThrow(
    "out-of-range at byte 0 (stream length)",
  );
  expect(() => deframer.push(Uint8Array.of(0, 1, 7))).toThrow("out-of-range");
});

test("an empty frame and one over 65,535 bytes cannot be sent", () => {
  expect(() => encodeStreamFrame(new Uint8Array())).toThrow("out-of-range");
  expect(() => encodeStreamFrame(new Uint8Array(65_536))).toThrow("too-large");
});

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
