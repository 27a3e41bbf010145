import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RandomStream } from "../../tensor/random.ts";
import { BestFitPacking } from "./best-fit-packing.ts";
import { RandomCrops } from "./random-crops.ts";
import { documentsOf, splitDocuments, splitTokens } from "./text-split.ts";
import { MOST_TEXT_BYTES, readTrainingText, trainingText } from "./training-text.ts";

const COUNTING = Int32Array.from({ length: 100 }, (_, i) => i);

const streamAt = (draws: number) => new RandomStream(7, "rows", draws);

test("a crop begins where chance says, and its targets are one place later", () => {
  const crops = new RandomCrops(COUNTING, 3, 10, streamAt);
  const chance = streamAt(0);
  const starts = new Set<number>();
  for (let batch = 0; batch < 200; batch += 1) {
    const { inputs, targets } = crops.next();
    for (let row = 0; row < 3; row += 1) {
      const start = chance.nextBelow(90);
      starts.add(start);
      expect([...inputs.subarray(row * 10, row * 10 + 10)]).toEqual(Array.from({ length: 10 }, (_, k) => start + k));
    }
    expect(targets.every((target, at) => target === (inputs[at] ?? 0) + 1)).toBe(true);
  }
  // The first and the last place that a row may begin at are among them.
  expect([Math.min(...starts), Math.max(...starts)]).toEqual([0, 89]);
});

test("crops and packed rows go on where they were left", () => {
  const documents = Array.from({ length: 300 }, (_, i) =>
    Int32Array.from({ length: 2 + ((i * 7) % 40) }, (__, k) => (k === 0 ? 0 : i)),
  );
  for (const make of [() => new RandomCrops(COUNTING, 2, 8, streamAt), () => new BestFitPacking(documents, 2, 24)]) {
    const [one, other] = [make(), make()];
    for (let i = 0; i < 7; i += 1) one.next();
    other.restore(JSON.parse(JSON.stringify(one.state())));
    for (let i = 0; i < 7; i += 1) expect(other.next()).toEqual(one.next());
    expect(() => other.restore({ draws: -1 })).toThrow("take another checkpoint");
  }
});

test("rows are packed by the longest document that fits, and filled with the beginning of the shortest", () => {
  // Of lengths 7, 4, 3, 6; a row has room for 12 tokens.
  const documents = [7, 4, 3, 6].map((length, i) =>
    Int32Array.from({ length }, (_, k) => (k === 0 ? 0 : 10 * (i + 1) + k)),
  );
  const { inputs, targets } = new BestFitPacking(documents, 1, 11).next();
  expect([...inputs]).toEqual([0, 11, 12, 13, 14, 15, 16, 0, 21, 22, 23]);
  // 7 and 4 leave room for one: the shortest, of 3, gives its first token.
  expect(targets.at(-1)).toBe(0);
  expect([...targets.subarray(0, 10)]).toEqual([...inputs.subarray(1)]);
});

test("every packed row begins with a document's first token, and has no padding", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 2, max: 60 }), { minLength: 1, maxLength: 50 }),
      fc.integer({ min: 2, max: 40 }),
      (lengths, context) => {
        const documents = lengths.map((length) => Int32Array.from({ length }, (_, k) => (k === 0 ? 1 : 2 + k)));
        const packing = new BestFitPacking(documents, 3, context);
        for (let i = 0; i < 3; i += 1) {
          const { inputs, targets } = packing.next();
          for (let row = 0; row < 3; row += 1) {
            expect(inputs[row * context]).toBe(1);
            for (let at = 0; at < context; at += 1) {
              const [input = 0, target] = [inputs[row * context + at], targets[row * context + at]];
              // A document goes on, or another begins.
              expect([1, input === 1 ? 3 : input + 1]).toContain(target);
            }
          }
        }
      },
    ),
  );
});

test("a text is cut in two where nanoGPT cuts it", () => {
  const [train, val] = splitTokens(COUNTING, 0.9, 9);
  expect([train.length, val.length, val[0]]).toEqual([90, 10, 90]);
  expect(() => splitTokens(COUNTING, 0.9, 10)).toThrow("the shorter part has 10, and a row needs 11");
});

test("documents are paragraphs or lines, and none is empty", () => {
  const text = "one\ntwo\n\n \t\nthree\r\n\r\nfour\n\n";
  expect(documentsOf(text, "paragraphs")).toEqual(["one\ntwo", "three", "four\n\n".trimEnd()]);
  expect(documentsOf(text, "lines")).toEqual(["one", "two", "three", "four"]);
  expect(splitDocuments([1, 2, 3], 0.9)).toEqual([[1, 2], [3]]);
  expect(() => splitDocuments([1], 0.9)).toThrow("1 documents cannot be split");
});

test.each([
  [[], "a.txt has no text"],
  [[32, 10, 9], "a.txt has no text"],
  [[0x61, 0xff], "a.txt is not in UTF-8"],
])("bytes %j are no text", (bytes, part) => {
  expect(() => trainingText(Uint8Array.from(bytes), "a.txt")).toThrow(part);
});

test("a text is known by the SHA-256 of its file, mark of its bytes' order and all", () => {
  // printf '\357\273\277abc' | sha256sum
  const { text, sha256 } = trainingText(Buffer.from("\ufeffabc"), "a.txt");
  expect([text, sha256]).toEqual(["abc", "1c28dc3f1f804a1ad9c9b4b4cf5e2658d16ad4ed08e3020d04a8d2865018947c"]);
});

test("a file that is too long is refused before it is read", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-lm-"));
  const path = join(folder, "long.txt");
  const file = openSync(path, "w");
  // All of it a hole: it takes no room on the disk.
  ftruncateSync(file, MOST_TEXT_BYTES + 1);
  closeSync(file);
  await expect(readTrainingText(path, "long.txt")).rejects.toMatchObject({ code: "text-too-long" });
  rmSync(folder, { recursive: true });
});
