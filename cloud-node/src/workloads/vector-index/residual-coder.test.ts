import { expect, test } from "vitest";
import { CODE_DISTORTION } from "./code-distortion.ts";
import { BIT_DEPTHS } from "./model.ts";
import { newCodedRows, ResidualCoder } from "./residual-coder.ts";
import { bitGroups, SeededNormals, seededModel, seededRows } from "./seeded-vectors.suite.ts";
import { VectorIndexError } from "./vector-index-error.ts";

const K = 2000;

function codeAll(coder: ResidualCoder, rows: Float32Array, lists: Uint32Array) {
  const coded = newCodedRows(lists.length, coder.codeBytes);
  const errors = new Float32Array(lists.length);
  coder.encode(rows, lists, coded, errors);
  return { coded, errors };
}

test.each(BIT_DEPTHS.filter((bits) => bits > 0 && CODE_DISTORTION[bits] < 1))(
  "a Gaussian in %i bits a dimension is off by what CODE_DISTORTION says",
  (bits) => {
    const d = 128;
    const identity = Float32Array.from({ length: d * d }, (_, i) => (i % (d + 1) === 0 ? 1 : 0));
    const coder = new ResidualCoder({
      ...seededModel(d, 1, []),
      mean: new Float32Array(d),
      rotation: identity,
      anchors: new Float32Array(d),
      groups: bitGroups(new Array<typeof bits>(d / 16).fill(bits)),
      sigma: new Float32Array(d).fill(1),
    });
    const rows = new SeededNormals(bits).array(K * d);
    const { errors } = codeAll(coder, rows, new Uint32Array(K));
    const energy = rows.reduce((sum, x) => sum + x * x, 0);
    const distortion = errors.reduce((sum, error) => sum + error, 0) / energy;
    expect(distortion / CODE_DISTORTION[bits]).toBeGreaterThan(0.95);
    expect(distortion / CODE_DISTORTION[bits]).toBeLessThan(1.05);
  },
);

test.each([
  [48, [5, 3, 1]],
  [50, [8, 5, 3, 1]],
] as const)("a row of %i numbers comes back no farther from the original than encode said", (d, bits) => {
  const model = seededModel(d, 7, bits);
  const coder = new ResidualCoder(model);
  const { rows, lists } = seededRows(model, K, 3);
  const { coded, errors } = codeAll(coder, rows, lists);
  const decoded = new Float32Array(rows.length);
  coder.decode(coded, lists, decoded);
  let sum = 0;
  for (let i = 0; i < K; i++) {
    let distance = 0;
    for (let j = i * d; j < (i + 1) * d; j++) distance += ((rows[j] ?? 0) - (decoded[j] ?? 0)) ** 2;
    // Numbers of size 10 in single precision, 64 of them added up in another order.
    expect(distance - (errors[i] ?? 0)).toBeLessThan(1e-3);
    if (d === model.paddedD) expect((errors[i] ?? 0) - distance).toBeLessThan(1e-3);
    sum += distance;
  }
  // The whole of a residual has the variances of sigma; less than a tenth of it may be left.
  expect(sum / K).toBeLessThan(model.sigma.reduce((energy, sigma) => energy + sigma ** 2, 0) / 10);
  expect(sum).toBeGreaterThan(0);
});

test("a row's code does not depend on the rows beside it", () => {
  const model = seededModel(32, 3, [4, 2]);
  const coder = new ResidualCoder(model);
  const { rows, lists } = seededRows(model, 11, 4);
  const { coded } = codeAll(coder, rows, lists);
  for (let i = 0; i < 11; i++) {
    const { coded: one } = codeAll(coder, rows.slice(i * 32, (i + 1) * 32), lists.slice(i, i + 1));
    expect(one.codes).toEqual(coded.codes.slice(i * coder.codeBytes, (i + 1) * coder.codeBytes));
    expect([one.scales[0], one.terms[0]]).toEqual([coded.scales[i], coded.terms[i]]);
  }
});

test("a row that is its anchor comes back as the anchor, and one far away keeps its direction", () => {
  const model = { ...seededModel(16, 1, [3]), mean: new Float32Array(16), anchors: new Float32Array(16) };
  const coder = new ResidualCoder(model);
  const far = new Float32Array(16).fill(1e9);
  const { coded } = codeAll(coder, Float32Array.of(...new Float32Array(16), ...far), new Uint32Array(2));
  const decoded = new Float32Array(32);
  coder.decode(coded, new Uint32Array(2), decoded);
  expect(decoded.slice(0, 16)).toEqual(new Float32Array(16));
  expect(decoded.every(Number.isFinite)).toBe(true);
  expect(decoded.slice(16).reduce((sum, x) => sum + x, 0)).toBeGreaterThan(0);
});

test("any bytes decode to finite rows", () => {
  const model = seededModel(40, 5, [8, 4, 1]);
  const coder = new ResidualCoder(model);
  const random = new SeededNormals(9);
  const coded = newCodedRows(300, coder.codeBytes);
  coded.codes.forEach((_, i) => {
    coded.codes[i] = random.uniform() * 256;
  });
  coded.scales.forEach((_, i) => {
    coded.scales[i] = random.uniform() * 0x7c00;
  });
  const decoded = new Float32Array(300 * 40);
  coder.decode(coded, new Uint32Array(300).fill(4), decoded);
  expect(decoded.every(Number.isFinite)).toBe(true);
});

test.each([
  ["a list that is not there", { lists: Uint32Array.of(0, 3) }],
  ["fewer rows than lists", { rows: new Float32Array(32) }],
  ["codes of another length", { codes: new Uint8Array(3) }],
])("%s is refused, and nothing is written", (_, wrong) => {
  const coder = new ResidualCoder(seededModel(32, 3, [2, 1]));
  const { rows, lists, codes } = { rows: new Float32Array(64), lists: new Uint32Array(2), codes: undefined, ...wrong };
  const out = { ...newCodedRows(2, coder.codeBytes), ...(codes === undefined ? {} : { codes }) };
  expect(() => coder.encode(rows, lists, out)).toThrow(VectorIndexError);
  expect(out.scales).toEqual(new Uint16Array(2));
});

test.each([
  ["bits that do not cover the dimensions", { groups: bitGroups([4]) }],
  ["bits that rise", { groups: bitGroups([2, 4]) }],
  ["bits that the coder does not know", { groups: bitGroups([6, 4]) }],
  ["a standard deviation of 0", { sigma: new Float32Array(32) }],
  ["anchors of another shape", { anchors: new Float32Array(1) }],
])("a model with %s is refused", (_, wrong) => {
  expect(() => new ResidualCoder({ ...seededModel(32, 3, [2, 1]), ...wrong })).toThrow(
    expect.objectContaining({ code: "bad-index" }),
  );
});
