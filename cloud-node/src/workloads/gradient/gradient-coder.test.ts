import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../../tensor/random.ts";
import type { CoderControl, CoderMode } from "./coder-mode.ts";
import { GradientCoder } from "./gradient-coder.ts";
import { GradientCore } from "./gradient-core.ts";
import type { GradientTensor } from "./gradient-layout.ts";
import { LARGEST_SIZE } from "./gradient-message.ts";

/** Tall, wide, one line, one column, one value, none, and three dimensions. */
const LAYOUT: readonly GradientTensor[] = [
  { name: "tall", shape: [61, 33] },
  { name: "wide", shape: [19, 130] },
  { name: "gain", shape: [37] },
  { name: "column", shape: [23, 1] },
  { name: "scalar", shape: [] },
  { name: "empty", shape: [0, 4] },
  { name: "deep", shape: [3, 5, 18] },
];
const SIZES = LAYOUT.map(({ shape }) => shape.reduce((product, length) => product * length, 1));
const N = SIZES.reduce((sum, size) => sum + size, 0);
const STEP = 7;

const MODES: readonly CoderMode[] = [
  { kind: "error-bounded" },
  { kind: "threshold", levels: 1 },
  { kind: "threshold", levels: 5 },
  { kind: "threshold", levels: 127 },
  { kind: "top-k", share: 0.03, levels: 1, of: "message" },
  { kind: "top-k", share: 0.2, levels: 2, of: "tensor" },
  { kind: "stochastic", bits: 2 },
  { kind: "stochastic", bits: 4 },
  { kind: "stochastic", bits: 8 },
];

function noise(count: number, name: string): Float32Array {
  const stream = new RandomStream(11, name);
  return Float32Array.from({ length: count }, () => stream.nextNormal());
}

function positive(count: number): Float32Array {
  return noise(count, "weights").map((x) => Math.exp(x));
}

const CONTROLS: Readonly<Record<string, CoderControl>> = {
  plain: {},
  "with weights": { weights: positive(N) },
  "with parts left out": { weights: positive(N), included: Uint8Array.of(1, 0, 1, 1, 0, 1, 1) },
};
const STEPS = new Float32Array(LAYOUT.length).fill(0.7);

describe("a decoder sees what its encoder says that it will see", () => {
  for (const mode of MODES) {
    for (const [name, control] of Object.entries(CONTROLS)) {
      test(`${JSON.stringify(mode)}, ${name}`, () => {
        const values = noise(N, "values");
        const sent = new Float32Array(N);
        const message = new GradientCoder(LAYOUT, mode, 3).encode(values, { ...control, steps: STEPS }, STEP, sent);
        const out = new Float32Array(N);
        const { weights } = control;
        new GradientCoder(LAYOUT, { kind: "error-bounded" }).decode(message, { weights }, STEP, out, 1);
        expect(out).toEqual(sent);
        expect(out.some((x) => x !== 0)).toBe(true);
      });
    }
  }
});

test("whatever the values, the decoder sees what the encoder saw", () => {
  const layout = [
    { name: "a", shape: [9, 21] },
    { name: "b", shape: [40] },
  ];
  const coder = new GradientCoder(layout, { kind: "error-bounded" });
  const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
  const values = fc.array(fc.oneof(fc.constant(0), float), { minLength: 229, maxLength: 229 });
  fc.assert(
    fc.property(values, fc.constantFrom(...MODES.slice(1)), (numbers, mode) => {
      coder.mode = mode;
      const [sent, out] = [new Float32Array(229), new Float32Array(229)];
      const message = coder.encode(Float32Array.from(numbers), { steps: Float32Array.of(3, 1000) }, STEP, sent);
      coder.decode(message, {}, STEP, out, 1);
      expect(out).toEqual(sent);
    }),
    { numRuns: 200 },
  );
});

test("an error-bounded value is off by at most half a step of its weight", () => {
  const weights = positive(N);
  const values = noise(N, "values").map((x) => 100 * x);
  const sent = new Float32Array(N);
  new GradientCoder(LAYOUT, { kind: "error-bounded" }).encode(values, { weights, steps: STEPS }, STEP, sent);
  const worst = values.reduce((most, x, i) => {
    const unit = weights[i] ?? 0;
    // Four roundings to 24 bits, of the value's own size, come on top.
    return Math.max(most, (Math.abs(x - (sent[i] ?? 0)) - 4 * 2 ** -24 * Math.abs(x)) / unit);
  }, 0);
  expect(worst).toBeLessThanOrEqual(0.35);
  expect(worst).toBeGreaterThan(0.3);
});

test("a threshold lets everything through that is not below it, and nothing else", () => {
  const values = noise(N, "values");
  const sent = new Float32Array(N);
  new GradientCoder(LAYOUT, { kind: "threshold", levels: 1 }).encode(
    values,
    { steps: new Float32Array(LAYOUT.length).fill(0.75) },
    STEP,
    sent,
  );
  for (const [i, x] of values.entries()) expect(Math.sign(sent[i] ?? 0)).toBe(Math.abs(x) >= 0.75 ? Math.sign(x) : 0);
  const kept = values.filter((x) => Math.abs(x) >= 0.75).map(Math.abs);
  const mean = kept.reduce((sum, x) => sum + x, 0) / kept.length;
  expect(Math.max(...sent)).toBeCloseTo(mean, 2);
});

test("top-k keeps about the share that was asked for, of the message and of each tensor", () => {
  const values = noise(N, "values");
  const sent = new Float32Array(N);
  const coder = new GradientCoder(LAYOUT, { kind: "top-k", share: 0.1, levels: 1, of: "message" });
  coder.encode(values, {}, STEP, sent);
  expect(sent.filter((x) => x !== 0).length / N).toBeCloseTo(0.1, 2);
  coder.mode = { kind: "top-k", share: 0.1, levels: 1, of: "tensor" };
  values.subarray(0, 2013).fill(0);
  coder.encode(values, {}, STEP, sent);
  expect(sent.subarray(0, 2013).every((x) => x === 0)).toBe(true);
  expect(sent.subarray(2013, 2013 + 2470).filter((x) => x !== 0).length / 2470).toBeCloseTo(0.1, 1);
});

test("stochastic values are right on average, each by itself, at every number of bits", () => {
  const numbers = [1, -0.3, 0.011, 0, -0.72, 0.5];
  const each = 6000;
  const layout = [{ name: "a", shape: [each, numbers.length] }];
  const values = Float32Array.from({ length: each * numbers.length }, (_, i) => numbers[i % numbers.length] ?? 0);
  for (const bits of [2, 3, 5, 8]) {
    const sent = new Float32Array(values.length);
    new GradientCoder(layout, { kind: "stochastic", bits }, 5).encode(values, {}, STEP, sent);
    const sums = numbers.map((_, i) => sent.reduce((sum, x, at) => (at % numbers.length === i ? sum + x : sum), 0));
    // Five standard deviations of a mean of so many draws, of which each has at most half a step.
    const bound = (5 * 0.5 * (1.01 / (2 ** (bits - 1) - 1))) / Math.sqrt(each);
    for (const [i, x] of numbers.entries()) expect(Math.abs((sums[i] ?? 0) / each - x)).toBeLessThan(bound);
  }
});

test("a step can be made again, and another worker draws otherwise", () => {
  const values = noise(N, "values");
  const encode = (seed: number, step: number) =>
    new GradientCoder(LAYOUT, { kind: "stochastic", bits: 4 }, seed).encode(values, {}, step);
  expect(encode(1, 9)).toEqual(encode(1, 9));
  expect(encode(1, 9).subarray(20)).not.toEqual(encode(2, 9).subarray(20));
  expect(encode(1, 9).subarray(20)).not.toEqual(encode(1, 10).subarray(20));
});

test("values have the same codes by fours and one by one", () => {
  const values = noise(64, "values");
  values[0] = 4; // the largest, whatever follows
  const modes: CoderMode[] = [
    { kind: "error-bounded" },
    { kind: "threshold", levels: 127 },
    { kind: "stochastic", bits: 3 },
    { kind: "stochastic", bits: 8 },
  ];
  for (const mode of modes) {
    const [first, ...others] = [61, 62, 63, 64].map((count) => {
      const sent = new Float32Array(count);
      const coder = new GradientCoder([{ name: "a", shape: [count] }], mode, 3);
      coder.encode(values.slice(0, count), { steps: Float32Array.of(0.25) }, STEP, sent);
      return sent.slice(0, 61);
    });
    for (const other of others) expect(other).toEqual(first);
  }
});

test("out gets factor times what was sent, on top of what it has", () => {
  const values = noise(N, "values");
  const coder = new GradientCoder(LAYOUT, { kind: "threshold", levels: 3 });
  const sent = new Float32Array(N);
  const message = coder.encode(values, { steps: STEPS }, STEP, sent);
  const out = new Float32Array(N).fill(2);
  coder.decode(message, {}, STEP, out, 0.5);
  expect(out).toEqual(sent.map((x) => Math.fround(2 + 0.5 * x)));
});

describe("structure that gradients have", () => {
  const [rows, columns] = [240, 120];
  const layout = [{ name: "a", shape: [rows, columns] }];
  const count = rows * columns;
  /** Rows and columns of very different activity; values from a few outer products, as a batch's gradient is. */
  const values = new Float32Array(count);
  for (let rank = 0; rank < 3; rank += 1) {
    const [down, across] = [noise(rows, `down ${rank}`), noise(columns, `across ${rank}`)];
    for (let i = 0; i < count; i += 1) {
      const part = (down[Math.floor(i / columns)] ?? 0) * (across[i % columns] ?? 0);
      values[i] = (values[i] ?? 0) + part;
    }
  }
  const encode = (mode: CoderMode, step: number, of: Float32Array = values) => {
    const sent = new Float32Array(count);
    const message = new GradientCoder(layout, mode).encode(of, { steps: Float32Array.of(step) }, STEP, sent);
    return { bytes: message.length, sent };
  };
  const ternary: CoderMode = { kind: "threshold", levels: 1 };

  test("takes less than the entropy of codes by their frequency, signs and all", () => {
    const { bytes, sent } = encode(ternary, 4);
    const share = sent.filter((x) => x !== 0).length / count;
    const bits = count * (share - share * Math.log2(share) - (1 - share) * Math.log2(1 - share));
    expect(share).toBeGreaterThan(0.01);
    expect(bytes).toBeLessThan(0.8 * (bits / 8));
  });

  test.each([
    ["sparse", 4],
    ["dense", 0.8],
  ] as const)(
    "is worth nothing where it was shuffled away: then %s codes take what their frequency says, and 3 %%",
    (_, threshold) => {
      const shuffled = values.slice();
      const stream = new RandomStream(2, "shuffle");
      for (let i = count - 1; i > 0; i -= 1) {
        const j = stream.nextBelow(i + 1);
        [shuffled[i], shuffled[j]] = [shuffled[j] ?? 0, shuffled[i] ?? 0];
      }
      const { bytes, sent } = encode(ternary, threshold, shuffled);
      const share = sent.filter((x) => x !== 0).length / count;
      const bits = count * (share - share * Math.log2(share) - (1 - share) * Math.log2(1 - share));
      expect(bytes).toBeLessThan(1.03 * (bits / 8) + 24);
      expect(bytes).toBeGreaterThan(0.99 * (bits / 8));
    },
  );
});

test("a live stream goes from gradients to a trajectory and back: each message says how it is coded", () => {
  const atoms = [{ name: "positions", shape: [200, 3] }];
  const sender = new GradientCoder(atoms, { kind: "stochastic", bits: 4 });
  const receiver = new GradientCoder(atoms, { kind: "stochastic", bits: 4 });
  const receive = (message: Uint8Array, step: number): Float32Array => {
    const out = new Float32Array(600);
    receiver.decode(message, {}, step, out, 1);
    return out;
  };
  const gradient = noise(600, "gradient");
  const before = sender.encode(gradient, {}, 1);
  sender.mode = { kind: "error-bounded" };
  let known: Float32Array = new Float32Array(600);
  for (let step = 2; step < 6; step += 1) {
    // A trajectory: what the last positions do not foretell.
    const positions = noise(600, "start").map((x, i) => 10 * x + 0.1 * step * Math.sin(i));
    const residual = positions.map((x, i) => x - (known[i] ?? 0));
    const decoded = receive(sender.encode(residual, { steps: Float32Array.of(0.01) }, step), step);
    known = known.map((x, i) => x + (decoded[i] ?? 0));
    for (const [i, x] of positions.entries()) expect(Math.abs(x - (known[i] ?? 0))).toBeLessThanOrEqual(0.005 + 1e-5);
  }
  sender.mode = { kind: "stochastic", bits: 4 };
  expect(sender.encode(gradient, {}, 1)).toEqual(before);
  expect(Math.max(...receive(before, 1).map((x, i) => Math.abs(x - (gradient[i] ?? 0))))).toBeLessThan(0.6);
});

test("heads refuse what the kernel has no tables for, and nothing else", () => {
  expect(LARGEST_SIZE).toBe(Number(new GradientCore().calls.LARGEST_SIZE.value));
});

test("a gradient of zeros takes a head and next to nothing", () => {
  const coder = new GradientCoder(LAYOUT, { kind: "top-k", share: 0.01, levels: 1, of: "message" });
  const message = coder.encode(new Float32Array(N), {}, STEP);
  expect(message.length).toBeLessThan(64);
  const out = new Float32Array(N);
  coder.decode(message, {}, STEP, out, 1);
  expect(out.every((x) => x === 0)).toBe(true);
});
