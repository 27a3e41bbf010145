import { describe, expect, test } from "vitest";
import { normalNumbers } from "../../tensor/random.ts";
import { createMethod, type GradientMethod, type MethodOptions, PRESETS, type Preset } from "./method.ts";
import { PredictiveMethod } from "./predictive-method.ts";
import { TopologyMask } from "./topology-mask.ts";

const LAYOUT = [
  { name: "transformer.h.0.attn.c_q.weight", shape: [32, 16] },
  { name: "transformer.h.0.mlp.c_fc.weight", shape: [64, 16] },
  { name: "transformer.h.0.ln_1.weight", shape: [16] },
];
const COUNT = 32 * 16 + 64 * 16 + 16;
/** Numbers of the first tensor. */
const TINY = 32 * 16;
const WORKERS = 2;
const ROUNDS = 40;

function crewOf(create: (options: MethodOptions) => GradientMethod): GradientMethod[] {
  const ranks = Array.from({ length: WORKERS }, (_, rank) => rank);
  return ranks.map((rank) => create({ workers: WORKERS, rank, seed: 1 }));
}

function crew(preset: Preset): GradientMethod[] {
  return crewOf((options) => createMethod(preset, LAYOUT, options));
}

/** As a worker finds it between two rounds: with what it kept to itself, where a method says so. */
function numbersOf({ unsentStays }: GradientMethod, rank: number, step: number): Float32Array {
  return gradientOf(rank, step).map((x, at) => x + (unsentStays?.[at] ?? 0));
}

function gradientOf(rank: number, step: number): Float32Array {
  const noise = normalNumbers(COUNT, 0.5, step, `noise ${rank}`);
  return normalNumbers(COUNT, 1, 0, "signal").map((x, at) => x + (noise[at] ?? 0));
}

function round(methods: readonly GradientMethod[], step: number, lost?: number): Float32Array[] {
  const sent = methods.map((method, rank) => method.contribution(step, numbersOf(method, rank, step)));
  const arrived = sent.map((message, rank) => (rank === lost ? undefined : message));
  return methods.map((method) => {
    const out = new Float32Array(COUNT).fill(Number.NaN);
    method.average(step, arrived, out);
    return out;
  });
}

const total = (parts: readonly Float32Array[]): Float64Array =>
  Float64Array.from({ length: COUNT }, (_, at) => parts.reduce((sum, part) => sum + (part[at] ?? 0), 0));

describe.each(PRESETS)("%s", (preset) => {
  test("every worker has the same bits of the average, also where a contribution is lost", () => {
    const methods = crew(preset);
    for (let step = 0; step < 6; step += 1) {
      const [first, ...others] = round(methods, step, step === 3 ? 1 : undefined);
      for (const other of others) expect(other).toEqual(first);
    }
  });

  test("a worker that was given another's shared states, and its own, goes on with the same bits", () => {
    const methods = crew(preset);
    for (let step = 0; step < 5; step += 1) round(methods, step);
    const restored = crew(preset);
    for (const [rank, method] of restored.entries()) {
      const [shared, own] = [methods[0]?.states() ?? [], methods[rank]?.states() ?? []];
      for (const [at, { values, isOwn }] of method.states().entries()) {
        values.set((isOwn ? own : shared)[at]?.values ?? []);
      }
    }
    for (let step = 5; step < 10; step += 1) expect(round(restored, step)).toEqual(round(methods, step));
  });
});

test("messages of sync-50 take a fiftieth of float32, on average", () => {
  const methods = crew("sync-50");
  let bytes = 0;
  for (let step = 0; step < 200; step += 1) {
    const sent = methods.map((method, rank) => method.contribution(step, numbersOf(method, rank, step)));
    for (const method of methods) method.average(step, sent, new Float32Array(COUNT));
    if (step >= 100) bytes += sent[0]?.length ?? 0;
  }
  expect((4 * COUNT * 100) / bytes).toBeGreaterThan(45);
});

test.each([1, 10])(
  "nothing is lost with %i steps a round: averages and what is unsent add up to all that was found",
  (localSteps) => {
    const methods = crewOf(
      (options) => new PredictiveMethod(LAYOUT, { ratio: 30 * localSteps, localSteps, levels: 3 }, options),
    );
    /** Each times the number of those that it is the mean of. */
    const sums: Float32Array[] = [];
    const gradients: Float32Array[] = [];
    for (let step = 0; step < ROUNDS; step += 1) {
      const [average = new Float32Array()] = round(methods, step, step === 5 ? 1 : undefined);
      sums.push(average.map((x) => x * (step === 5 ? WORKERS - 1 : WORKERS)));
      for (let rank = 0; rank < WORKERS; rank += 1) gradients.push(gradientOf(rank, step));
    }
    const unsent = methods.flatMap((method) =>
      method.states().flatMap(({ name, values }) => (name === "unsent" ? [values as Float32Array] : [])),
    );
    const have = total([...sums, ...unsent]);
    for (const [at, want] of total(gradients).entries()) expect(have[at]).toBeCloseTo(want, 2);
  },
);

test("a tensor of tiny gradients is sent in the first rounds, beside one of large ones, so that it has a unit", () => {
  const methods = crew("sync-50");
  const out = new Float32Array(COUNT);
  let sentOfTiny = 0;
  for (let step = 0; step < 4; step += 1) {
    const sent = methods.map((method, rank) => {
      const gradient = gradientOf(rank, step);
      gradient.set(gradient.subarray(0, TINY).map((x) => 1e-6 * x));
      return method.contribution(step, gradient);
    });
    for (const method of methods) method.average(step, sent, out);
    sentOfTiny += out.subarray(0, TINY).filter((x) => x !== 0).length;
  }
  expect(sentOfTiny).toBeGreaterThan(40);
});

test.each([
  ["sync-50", 4],
  ["sync-50", 9],
  ["local-100", 4],
] as const)(
  "%s with a mask of %i turns sends every passenger in its turn, and in none between",
  (preset, staleness) => {
    const variances = LAYOUT.map((tensor) => ({ ...tensor, variance: 1 }));
    const mask = new TopologyMask(variances, { threshold: Number.POSITIVE_INFINITY, staleness });
    const methods = crewOf((options) => createMethod(preset, LAYOUT, { ...options, mask }));
    const { localSteps } = methods[0] as GradientMethod;
    const out = new Float32Array(COUNT);
    const turns = [0, 0];
    for (let index = 0; index < 4 + 2 * staleness; index += 1) {
      const step = (index + 1) * localSteps - 1;
      const sent = methods.map((method, rank) => method.contribution(step, numbersOf(method, rank, step)));
      for (const method of methods) method.average(step, sent, out);
      const parts = [out.subarray(0, TINY), out.subarray(TINY, COUNT - 16)];
      const isSent = parts.map((part) => part.some((x) => x !== 0));
      if (index < 4) expect(isSent).toEqual([true, true]);
      else for (const [at, isIn] of isSent.entries()) turns[at] = (turns[at] ?? 0) + Number(isIn);
    }
    expect(turns).toEqual([2, 2]);
  },
);
