import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeSerialFrame, SERIAL_DELIMITER, SerialDeframer } from "./serial-framing.ts";

const SEED = 31;
/** The longest piece that can hold a frame: 65,535 bytes, a checksum of two, a code byte for every 254. */
const LONGEST_PIECE_BYTES = 65_796;

/** Few different bytes, so that runs with and without zeros of every length appear. */
const frameBytes = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 700, size: "max" }),
  fc.array(fc.constantFrom(0, 1, 0xff), { minLength: 1, maxLength: 300, size: "max" }).map((b) => Uint8Array.from(b)),
  fc.integer({ min: 1, max: 1100 }).map((length) => new Uint8Array(length).fill(7)),
);
const cuts = fc.infiniteStream(fc.oneof(fc.constant(1), fc.nat({ max: 5 }), fc.nat({ max: 900 })));

test("frames come out as they went in, however the line is cut", () => {
  fc.assert(
    fc.property(fc.array(frameBytes, { maxLength: 12, size: "max" }), cuts, (sent, sizes) => {
      const deframer = new SerialDeframer();
      expect(pushCut(deframer, concat(sent.map(encodeSerialFrame)), sizes)).toEqual(sent.map(hex));
      expect(deframer.pendingBytes).toBe(0);
      expect(damageOf(deframer)).toBe(0);
    }),
    { seed: SEED, numRuns: 400 },
  );
});

test("nothing on the line but its end is a zero, and stuffing adds a byte for every 254", () => {
  fc.assert(
    fc.property(frameBytes, (frame) => {
      const line = encodeSerialFrame(frame);
      expect(line.indexOf(SERIAL_DELIMITER)).toBe(line.length - 1);
      expect(line.length).toBeLessThanOrEqual(frame.length + 3 + Math.ceil((frame.length + 2) / 254));
    }),
    { seed: SEED, numRuns: 400 },
  );
  expect(encodeSerialFrame(new Uint8Array(51).fill(7)).length).toBe(55);
});

test("garbage between frames costs no frame that begins after its zero", () => {
  const garbage = fc.uint8Array({ minLength: 1, maxLength: 400, size: "max" });
  fc.assert(
    fc.property(fc.array(fc.tuple(garbage, frameBytes), { minLength: 1, maxLength: 8 }), cuts, (parts, sizes) => {
      const deframer = new SerialDeframer();
      const line = concat(parts.flatMap(([noise, frame]) => [noise, Uint8Array.of(0), encodeSerialFrame(frame)]));
      const received = pushCut(deframer, line, sizes);
      expect(received).toEqual(parts.map(([, frame]) => hex(frame)));
      expect(damageOf(deframer)).toBeGreaterThanOrEqual(parts.some(([noise]) => noise.some((b) => b !== 0)) ? 1 : 0);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test("a frame with one, two or three bits turned is left out, and those around it are not", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 400, size: "max" }),
      fc.uniqueArray(fc.nat(), { minLength: 1, maxLength: 3 }),
      (frame, flips) => {
        const line = encodeSerialFrame(frame);
        const inside = 8 * (line.length - 1);
        const damaged = line.slice();
        for (const flip of new Set(flips.map((flip) => flip % inside))) {
          damaged[flip >> 3] = (damaged[flip >> 3] ?? 0) ^ (1 << (flip & 7));
        }
        const around = Uint8Array.of(1, 2, 3);
        const neighbour = encodeSerialFrame(around);
        const deframer = new SerialDeframer();
        const received = deframer.push(concat([neighbour, damaged, neighbour])).map(hex);
        // A code byte that is hit moves zeros about, which no checksum counts as three bits: its 16 bits may miss it.
        expect(received.filter((found) => found === hex(around)).length).toBeGreaterThanOrEqual(2);
        expect(received).not.toContain(hex(frame));
      },
    ),
    { seed: SEED, numRuns: 500 },
  );
});

test("a single bit turned anywhere, and a byte lost or doubled anywhere, is noticed", () => {
  const frame = Uint8Array.from({ length: 600 }, (_, i) => (i * 7) % 97);
  const line = encodeSerialFrame(frame);
  for (let at = 0; at < line.length - 1; at += 1) {
    const before = line.slice(0, at);
    const byte = line[at] ?? 0;
    const after = line.slice(at + 1);
    const changes = Array.from({ length: 8 }, (_, bit) => [byte ^ (1 << bit)]);
    for (const change of [...changes, [], [byte, byte]]) {
      const found = new SerialDeframer().push(concat([before, Uint8Array.from(change), after]));
      expect(found, `byte ${at} as ${change}`).toEqual([]);
    }
  }
});

test("zeros that noise puts behind a frame's checksum are noticed", () => {
  // Not 252: with its checksum that is a full run, after which the first code of 1 stands for nothing.
  for (const length of [1, 2, 60, 251, 253, 254, 600]) {
    const line = encodeSerialFrame(Uint8Array.from({ length }, (_, i) => (i % 5) + 1));
    for (const zeros of [1, 2, 3]) {
      const deframer = new SerialDeframer();
      // A code byte of 1 stands for a zero.
      expect(deframer.push(concat([line.slice(0, -1), new Uint8Array(zeros).fill(1), Uint8Array.of(0)]))).toEqual([]);
      expect(deframer.damaged["bad-checksum"]).toBe(1);
    }
  }
});

test("a frame that breaks off gives nothing, and the zero that a sender opens the line with ends it", () => {
  const frame = Uint8Array.from({ length: 300 }, (_, i) => i % 7);
  const line = encodeSerialFrame(frame);
  for (let end = 1; end < line.length; end += 1) {
    const deframer = new SerialDeframer();
    expect(deframer.push(line.slice(0, end))).toEqual([]);
    expect(
      deframer
        .push(concat([Uint8Array.of(0), line]))
        .map(hex)
        .at(-1),
    ).toBe(hex(frame));
  }
});

describe("what is no frame is counted by reason", () => {
  test.for([
    ["a code that points past the end", [5, 1, 2, 0], "cut-short"],
    ["one that does so at its first byte", [2, 0], "cut-short"],
    ["nothing but a code", [1, 0], "too-short"],
    ["two bytes, which would be a checksum alone", [3, 0xff, 0xff, 0], "too-short"],
    ["text", [...Buffer.from("\x05boot: ok\r\n"), 0], "cut-short"],
    ["three bytes of which none is a checksum", [4, 1, 2, 3, 0], "bad-checksum"],
  ] as const)("%s", ([, bytes, reason]) => {
    const deframer = new SerialDeframer();
    expect(deframer.push(Uint8Array.from(bytes))).toEqual([]);
    expect(deframer.damaged).toEqual({ "cut-short": 0, "too-short": 0, "too-long": 0, "bad-checksum": 0, [reason]: 1 });
  });

  test("zeros alone are nothing", () => {
    const deframer = new SerialDeframer();
    expect(deframer.push(new Uint8Array(100))).toEqual([]);
    expect(damageOf(deframer)).toBe(0);
  });
});

test("a line without zeros is never kept beyond the longest frame, and ends with the next zero", () => {
  const deframer = new SerialDeframer();
  const noise = new Uint8Array(1000).fill(0xff);
  for (let i = 0; i < 200; i += 1) {
    deframer.push(noise);
    expect(deframer.pendingBytes).toBeLessThanOrEqual(LONGEST_PIECE_BYTES);
  }
  expect(deframer.pendingBytes).toBe(0);
  const frame = Uint8Array.of(4, 5, 6);
  expect(deframer.push(concat([Uint8Array.of(0), encodeSerialFrame(frame)])).map(hex)).toEqual([hex(frame)]);
  expect(deframer.damaged["too-long"]).toBe(1);
});

test("a piece that unpacks to one byte more than a frame may have is refused", () => {
  // A code of 1 for each of 65,538 zeros, in a piece no longer than the longest frame's.
  const piece = new Uint8Array(65_539).fill(1);
  const deframer = new SerialDeframer();
  expect(deframer.push(concat([piece, Uint8Array.of(0)]))).toEqual([]);
  expect(deframer.damaged["too-long"]).toBe(1);
});

test("the longest frame passes byte by byte and whole", () => {
  for (const fill of [0, 7, undefined]) {
    const frame = Uint8Array.from({ length: 65_535 }, (_, i) => fill ?? i % 251);
    const line = encodeSerialFrame(frame);
    expect(line.length).toBeLessThanOrEqual(LONGEST_PIECE_BYTES + 1);
    const deframer = new SerialDeframer();
    const received = Array.from(line, (byte) => deframer.push(Uint8Array.of(byte))).flat();
    expect(received.map(hex)).toEqual([hex(frame)]);
    expect(deframer.push(line).map(hex)).toEqual([hex(frame)]);
  }
});

test("frames returned earlier stay as they are when the line goes on", () => {
  const deframer = new SerialDeframer();
  const line = encodeSerialFrame(Uint8Array.of(1, 2, 3));
  const [first] = deframer.push(line);
  line.fill(9);
  deframer.push(encodeSerialFrame(Uint8Array.of(8, 8, 8)));
  expect(first && hex(first)).toBe("010203");
});

test("a full run's end may be followed by a code of its own, as some encoders do", () => {
  const line = encodeSerialFrame(new Uint8Array(252).fill(7));
  expect(line.length).toBe(256);
  const longer = concat([line.slice(0, -1), Uint8Array.of(1, 0)]);
  expect(new SerialDeframer().push(longer).map(hex)).toEqual([hex(new Uint8Array(252).fill(7))]);
});

test("an empty frame and one over 65,535 bytes cannot be sent", () => {
  expect(() => encodeSerialFrame(new Uint8Array())).toThrow("out-of-range");
  expect(() => encodeSerialFrame(new Uint8Array(65_536))).toThrow("too-large");
});

function pushCut(deframer: SerialDeframer, line: Uint8Array, sizes: Iterator<number>): string[] {
  const received: Uint8Array[] = [];
  for (let at = 0; at < line.length; ) {
    const bytes = sizes.next().value ?? 1;
    received.push(...deframer.push(line.slice(at, at + bytes)));
    at += bytes;
  }
  return received.map(hex);
}

function damageOf({ damaged }: SerialDeframer): number {
  return Object.values(damaged).reduce((sum, count) => sum + count, 0);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
