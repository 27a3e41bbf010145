import { expect, test } from "vitest";
import { normalNumbers } from "../../tensor/random.ts";
import { GradientSurvey } from "./gradient-survey.ts";
import { TopologyMask } from "./topology-mask.ts";

const LAYOUT = [
  { name: "transformer.wte.weight", shape: [8, 4] },
  { name: "transformer.h.0.ln_1.weight", shape: [4] },
  { name: "transformer.h.0.attn.c_q.weight", shape: [4, 4] },
  { name: "transformer.h.0.mlp.c_fc.weight", shape: [16, 4] },
  { name: "lm_head.weight", shape: [8, 4] },
];
const VARIANCES = LAYOUT.map((tensor, at) => ({ ...tensor, variance: at + 1 }));

const roles = (mask: TopologyMask): string[] => mask.tensors.map(({ role }) => role);
const sent = (mask: TopologyMask, step: number): number[] => {
  const out = new Uint8Array(LAYOUT.length);
  mask.included(step, out);
  return [...out];
};

test("a survey measures each tensor's variance from step to step, whatever its mean", () => {
  const survey = new GradientSurvey(LAYOUT);
  const deviations = [1, 0, 2, 0.5, 3];
  for (let step = 0; step < 200; step += 1) {
    const noise = LAYOUT.map(({ shape }, at) => {
      const count = shape.reduce((product, n) => product * n, 1);
      return normalNumbers(count, deviations[at] ?? 0, step, `${at}`).map((x) => x + 10);
    });
    survey.add(Float32Array.from(noise.flatMap((part) => [...part])));
  }
  for (const [at, { variance }] of survey.variances().entries()) {
    const expected = (deviations[at] ?? 0) ** 2;
    // Of 3,200 numbers and more; a tenth is four times the standard deviation of their variance.
    expect(variance).toBeGreaterThanOrEqual(0.9 * expected);
    expect(variance).toBeLessThanOrEqual(1.1 * expected);
  }
});

test("matrices below the threshold are passengers, the others drivers; tables, head and gains are guarded", () => {
  const mask = new TopologyMask(VARIANCES, { threshold: 3.5, staleness: 4 });
  expect(roles(mask)).toEqual(["guarded", "guarded", "passenger", "driver", "guarded"]);
});

test("a passenger is sent once in every round of its staleness, and not all in the same step", () => {
  const mask = new TopologyMask(VARIANCES, { threshold: Number.POSITIVE_INFINITY, staleness: 4 });
  const rounds = Array.from({ length: 8 }, (_, step) => sent(mask, step));
  for (const passenger of [2, 3]) {
    expect(rounds.slice(0, 4).filter((round) => round[passenger] === 1)).toHaveLength(1);
    expect(rounds.slice(4).filter((round) => round[passenger] === 1)).toHaveLength(1);
  }
  expect(rounds.some((round) => round[2] === 1 && round[3] === 1)).toBe(false);
  expect(rounds.every((round) => round[0] === 1 && round[1] === 1 && round[4] === 1)).toBe(true);
});

test("all drivers: everything is sent, and nothing is gained", () => {
  const mask = new TopologyMask(VARIANCES, { threshold: 0, staleness: 4 });
  expect(sent(mask, 1)).toEqual([1, 1, 1, 1, 1]);
  expect(mask.compressionFactor).toBe(1);
});

test("all passengers: what may be masked goes in turns", () => {
  const mask = TopologyMask.ofShare(VARIANCES, 1);
  expect(roles(mask)).toEqual(["guarded", "guarded", "passenger", "passenger", "guarded"]);
  // 68 numbers are guarded, 80 are sent in one of four steps.
  expect(mask.compressionFactor).toBeCloseTo(148 / 88, 12);
});

test("half of them: the calmest", () => {
  expect(roles(TopologyMask.ofShare(VARIANCES, 0.5))[2]).toBe("passenger");
  expect(roles(TopologyMask.ofShare(VARIANCES, 0.5))[3]).toBe("driver");
});

test("a model without tensors has an empty mask", () => {
  const mask = TopologyMask.ofShare([], 0.5);
  expect(mask.tensors).toEqual([]);
  expect(mask.compressionFactor).toBe(1);
});
