import { expect, test } from "vitest";
import { maskFor, maskText, parseMask } from "./mask-file.ts";
import { TopologyMask } from "./topology-mask.ts";

const LAYOUT = [
  { name: "transformer.wte.weight", shape: [8, 4] },
  { name: "transformer.h.0.attn.c_q.weight", shape: [4, 4] },
];
const VARIANCES = LAYOUT.map((tensor, at) => ({ ...tensor, variance: 0.5 + at }));
const TEXT = maskText(new TopologyMask(VARIANCES, { threshold: 2, staleness: 3 }));

test("a mask that was written is read as it was, ∞ included", () => {
  for (const threshold of [0, 2, Number.POSITIVE_INFINITY]) {
    const mask = new TopologyMask(VARIANCES, { threshold, staleness: 3 });
    const read = maskFor(parseMask(maskText(mask)), LAYOUT);
    expect(read.tensors).toEqual(mask.tensors);
    expect(read.options).toEqual(mask.options);
  }
});

test.each([
  ["cut short", TEXT.slice(0, -10)],
  ["empty", ""],
  ["of another version", TEXT.replace('"version": 1', '"version": 2')],
  ["with a negative variance", TEXT.replace("0.5", "-0.5")],
  ["with a staleness of 0", TEXT.replace('"staleness": 3', '"staleness": 0')],
  ["with a staleness beyond reason", TEXT.replace('"staleness": 3', '"staleness": 1e9')],
  ["with a role that there is not", TEXT.replace('"guarded"', '"pilot"')],
  ["of something else", '{"tensors": 7}'],
])("a mask file %s is refused", (_, text) => {
  expect(() => parseMask(text)).toThrow(expect.objectContaining({ code: "bad-mask" }));
});

test("a mask of another model is refused", () => {
  const other = expect.objectContaining({ code: "bad-mask" });
  const [table, matrix] = LAYOUT as [(typeof LAYOUT)[0], (typeof LAYOUT)[0]];
  const mask = parseMask(TEXT);
  for (const layout of [[matrix], [table, { ...matrix, name: "x" }], [table, { ...matrix, shape: [2, 8] }]]) {
    expect(() => maskFor(mask, layout)).toThrow(other);
  }
});
