import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_FRAGMENT_SETS, Reassembler, split } from "./fragments.ts";
import { decodeFrame, encodeFrame, type FragmentFrame, FrameError } from "./index.ts";

const SEED = 13;
const ID = fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 131_071);
const MTU = fc.oneof(fc.integer({ min: 20, max: 60 }), fc.integer({ min: 60, max: 1500 }));
const FRAME = fc.uint8Array({ minLength: 1, maxLength: 2000, size: "max" });

test("fragments fit the MTU, all but the last are equal, and they come together in any order with duplicates", () => {
  fc.assert(
    fc.property(FRAME, MTU, ID, fc.infiniteStream(fc.nat()), (frame, mtu, id, random) => {
      const fragments = split(frame, mtu, id);
      fc.pre(frame.length > mtu);
      expect(fragments.every((fragment) => encodeFrame(fragment).length <= mtu)).toBe(true);
      expect(new Set(fragments.slice(0, -1).map(({ chunk }) => chunk.length)).size).toBe(1);
      const shuffled = [...fragments, ...fragments.slice(1)]
        .map((fragment) => ({ fragment, key: random.next().value ?? 0 }))
        .sort((a, b) => a.key - b.key);
      const reassembler = new Reassembler();
      const whole = shuffled
        .map(({ fragment }) => reassembler.push(sent(fragment)))
        .filter((bytes) => bytes !== undefined);
      expect(whole.length).toBeGreaterThanOrEqual(1);
      expect(whole.map(hex)).toEqual(whole.map(() => hex(frame)));
    }),
    { seed: SEED, numRuns: 500 },
  );
});

test("a frame that fits is not split", () => {
  expect(split(new Uint8Array(51), 51, 0)).toEqual([]);
});

test("a fragment fills the MTU whenever another follows it", () => {
  for (let mtu = 20; mtu < 700; mtu++) {
    const first = split(new Uint8Array(mtu * 3), mtu, 4097)[0];
    const gap = mtu - (first === undefined ? 0 : encodeFrame(first).length);
    // A chunk of 24 or 256 bytes has a longer header: one size cannot be filled.
    expect(gap).toBeLessThanOrEqual(1);
  }
});

test("a frame that 255 fragments do not hold, or an MTU that holds no chunk, is too large", () => {
  expect(split(new Uint8Array(255 * 40), 51, 4097)).toHaveLength(255);
  expect(() => split(new Uint8Array(255 * 41 + 1), 51, 4097)).toThrow("too-large");
  expect(() => split(new Uint8Array(100), 8, 4097)).toThrow("too-large");
});

test("at most four sets are kept: a fifth makes the oldest go", () => {
  const reassembler = new Reassembler();
  for (let id = 0; id < 5; id++) {
    reassembler.push(fragment({ id, index: 0 }));
  }
  expect(reassembler.incompleteSets).toBe(MAX_FRAGMENT_SETS);
  expect(reassembler.push(fragment({ id: 0, index: 1 }))).toBeUndefined();
  expect(reassembler.push(fragment({ id: 4, index: 1 }))).toHaveLength(4);
});

test.for([
  ["another count", { count: 3, chunk: Uint8Array.of(1, 2) }],
  ["another chunk length", { index: 1, count: 3, chunk: Uint8Array.of(1, 2, 3) }],
  ["other bytes in the same place", { index: 0, count: 4, chunk: Uint8Array.of(9, 9) }],
  ["a last chunk longer than the others", { index: 3, count: 4, chunk: Uint8Array.of(1, 2, 3) }],
] as const)("a set starts afresh with a fragment that has %s", ([, change]) => {
  const reassembler = new Reassembler();
  reassembler.push(fragment({ index: 0, count: 4 }));
  reassembler.push(fragment({ index: 1, count: 4 }));
  reassembler.push(fragment(change));
  expect(reassembler.heldBytes).toBe(change.chunk.length);
  expect(reassembler.incompleteSets).toBe(1);
});

test("a last chunk that came first and is longer than the next one's gives way to it", () => {
  const reassembler = new Reassembler();
  reassembler.push(fragment({ index: 2, count: 3, chunk: Uint8Array.of(1, 2, 3) }));
  expect(reassembler.push(fragment({ index: 0, count: 3 }))).toBeUndefined();
  expect(reassembler.heldBytes).toBe(2);
});

test("a set that could not be a frame is refused at the fragment that shows it, and forgotten", () => {
  const reassembler = new Reassembler();
  expect(() => reassembler.push(fragment({ count: 255, chunk: new Uint8Array(300) }))).toThrow("too-large");
  expect(reassembler.heldBytes).toBe(0);
  reassembler.push(fragment({ index: 2, count: 3, chunk: new Uint8Array(22_000) }));
  expect(() => reassembler.push(fragment({ index: 0, count: 3, chunk: new Uint8Array(22_000) }))).toThrow("too-large");
  expect(reassembler.incompleteSets).toBe(0);
});

test("whatever comes, memory stays within four frames and every whole is one that was announced", () => {
  const hostile = fc.record({
    kind: fc.constant("fragment" as const),
    id: fc.nat({ max: 6 }),
    index: fc.nat({ max: 4 }),
    count: fc.integer({ min: 2, max: 255 }),
    chunk: fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 4 }), fc.constant(new Uint8Array(16_000))),
  });
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 60, size: "max" }), (fragments) => {
      const reassembler = new Reassembler();
      for (const each of fragments) {
        const valid = { ...each, count: Math.max(each.count > 8 ? each.count : 5, each.index + 1) };
        expect(pushOrRefuse(reassembler, valid)?.length ?? 1).toBeLessThanOrEqual(65_535);
        expect(reassembler.incompleteSets).toBeLessThanOrEqual(MAX_FRAGMENT_SETS);
        expect(reassembler.heldBytes).toBeLessThanOrEqual(MAX_FRAGMENT_SETS * 65_535);
      }
    }),
    { seed: SEED, numRuns: 500 },
  );
});

function pushOrRefuse(reassembler: Reassembler, each: FragmentFrame): Uint8Array | undefined {
  try {
    return reassembler.push(each);
  } catch (error) {
    expect(error instanceof FrameError && error.code).toBe("too-large");
    return undefined;
  }
}

function fragment(change: Partial<FragmentFrame>): FragmentFrame {
  return { kind: "fragment", id: 0, index: 0, count: 2, chunk: Uint8Array.of(1, 2), ...change };
}

/** As it arrives. */
function sent(each: FragmentFrame): FragmentFrame {
  const frame = decodeFrame(encodeFrame(each));
  return frame.kind === "fragment" ? frame : each;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
