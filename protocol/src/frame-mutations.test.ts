import fc from "fast-check";
import { expect, test } from "vitest";
import { ARBITRARY_FRAMES, FRAME_KINDS } from "./arbitrary-frame.suite.ts";
import { decodeFrame, encodeFrame, type Frame, FrameError, isSequenced } from "./index.ts";

const SEED = 4_294_967;
const MUTATIONS_PER_KIND = 10_000;
const FRAMES_PER_KIND = 100;

type Random = (below: number) => number;
type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array;

/** CBOR headers that claim much: 2³²−1, 2³², 2⁶⁴−1 elements or bytes, and 65,535 of them. */
const CLAIMS = [
  "9affffffff",
  "9b0000000100000000",
  "5affffffff",
  "5bffffffffffffffff",
  "59ffff",
  "7affffffff",
  "baffffffff",
];

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  "bit flip": (bytes, random) => {
    const at = random(bytes.length);
    return bytes.with(at, (bytes[at] ?? 0) ^ (1 << random(8)));
  },
  "other byte": (bytes, random) => bytes.with(random(bytes.length), random(256)),
  truncation: (bytes, random) => bytes.slice(0, random(bytes.length)),
  "front cut": (bytes, random) => bytes.slice(1 + random(bytes.length)),
  insertion: (bytes, random) => splice(bytes, random(bytes.length + 1), 0, [random(256)]),
  deletion: (bytes, random) => splice(bytes, random(bytes.length), 1, []),
  "run repeated": (bytes, random) => {
    const from = random(bytes.length);
    const run = bytes.slice(from, from + 1 + random(8));
    return splice(bytes, from, 0, [...run]);
  },
  "length inflated": (bytes, random) => {
    const claim = Buffer.from(CLAIMS[random(CLAIMS.length)] ?? "", "hex");
    return splice(bytes, random(bytes.length), random(2), [...claim]);
  },
  "nesting bomb": (bytes, random) => {
    const level = [0x81, 0x9f, 0xa1, 0xc1][random(4)] ?? 0;
    return splice(
      bytes,
      random(bytes.length),
      random(2),
      Array.from({ length: 1 + random(500) }, () => level),
    );
  },
  "two at once": (bytes, random) => {
    const at = random(bytes.length);
    return bytes.with(at, random(256)).with(random(bytes.length), random(256));
  },
};

test.for(FRAME_KINDS)(
  "10,000 mutations of valid %s frames are refused with a FrameError, or are themselves the only form of what they decode to",
  (kind) => {
    const arbitrary: fc.Arbitrary<Frame> = ARBITRARY_FRAMES[kind];
    const originals = fc.sample(arbitrary, { seed: SEED, numRuns: FRAMES_PER_KIND }).map(encodeFrame);
    const random = seededRandom(SEED);
    const mutations = Object.entries(MUTATIONS);
    let refused = 0;
    for (let i = 0; i < MUTATIONS_PER_KIND; i++) {
      const original = originals[i % originals.length] ?? new Uint8Array();
      const [name, mutate] = mutations[random(mutations.length)] ?? [];
      const mutated = mutate?.(original, random) ?? original;
      const place = `seed ${SEED}, mutation ${i} (${name}) of ${hex(original)}`;
      const frame = decodeOrRefuse(mutated, place);
      if (frame === undefined) {
        refused++;
        continue;
      }
      expect(hex(encodeFrame(frame)), place).toBe(hex(mutated));
      // A head mutated into that of a sequenced kind leaves a seal that no place in a sequence bears out.
      const isProven = !isSequenced(frame) && frame.kind !== "fragment";
      expect(isProven && hex(mutated) !== hex(original), place).toBe(false);
    }
    expect(refused).toBeGreaterThan(MUTATIONS_PER_KIND / 4);
  },
);

test("lengths that are claimed and not there cost no memory", () => {
  const residual = "860000000000".slice(0, 10);
  const before = process.memoryUsage().arrayBuffers;
  let refused = 0;
  for (let i = 0; i < 2000; i++) {
    for (const claim of CLAIMS) {
      for (const prefix of ["", residual, "8604000100"]) {
        refused += decodeOrRefuse(new Uint8Array(Buffer.from(prefix + claim, "hex")), claim) === undefined ? 1 : 0;
      }
    }
  }
  expect(refused).toBe(2000 * 3 * CLAIMS.length);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
});

function decodeOrRefuse(bytes: Uint8Array, place: string): Frame | undefined {
  try {
    return decodeFrame(bytes);
  } catch (error) {
    expect(error, place).toBeInstanceOf(FrameError);
    return undefined;
  }
}

function splice(bytes: Uint8Array, at: number, remove: number, insert: readonly number[]): Uint8Array {
  return Uint8Array.from([...bytes.subarray(0, at), ...insert, ...bytes.subarray(at + remove)]);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** xorshift32 (Marsaglia 2003). */
function seededRandom(seed: number): Random {
  let x = seed;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}
