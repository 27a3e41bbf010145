import { expect, test } from "vitest";
import { MomentumPredictor } from "./momentum-predictor.ts";

const LAYOUT = [
  { name: "a", shape: [2, 2] },
  { name: "b", shape: [2] },
];

function scaled(predictor: MomentumPredictor): { weights: number[]; contexts: number[] } {
  const weights = new Float32Array(6);
  const contexts = new Uint8Array(6);
  predictor.scale(weights, contexts);
  return { weights: [...weights], contexts: [...contexts] };
}

test("before the first average every coordinate has the unit 1", () => {
  expect(scaled(new MomentumPredictor(LAYOUT)).weights).toEqual([1, 1, 1, 1, 1, 1]);
});

test("both averages follow what was decoded, with AdamW's weights", () => {
  const predictor = new MomentumPredictor(LAYOUT);
  predictor.update(Float32Array.of(1, 2, 0, 0, -1, 0));
  predictor.update(Float32Array.of(1, 0, 0, 0, 0, 0));
  expect(predictor.average[0]).toBeCloseTo(0.19, 6);
  expect(predictor.average[1]).toBeCloseTo(0.18, 6);
  expect(predictor.squareAverage[1]).toBeCloseTo(0.0396, 6);
});

test("a larger coordinate has a larger unit and context, and none is without a unit", () => {
  const predictor = new MomentumPredictor(LAYOUT);
  predictor.update(Float32Array.of(16, 4, 1, 0, 0.001, 0));
  const { weights, contexts } = scaled(predictor);
  expect(weights[0]).toBeGreaterThan(weights[1] ?? 0);
  expect(weights[1]).toBeGreaterThan(weights[3] ?? 0);
  expect(Math.min(...weights)).toBeGreaterThan(0);
  expect(contexts[0]).toBeGreaterThan(contexts[1] ?? 0);
  expect(contexts[1]).toBeGreaterThan(contexts[3] ?? 0);
});

test("contexts are within a tensor: the other's size does not matter", () => {
  const [small, large] = [new MomentumPredictor(LAYOUT), new MomentumPredictor(LAYOUT)];
  small.update(Float32Array.of(4, 2, 1, 0, 1e-4, 2e-4));
  large.update(Float32Array.of(4, 2, 1, 0, 1e4, 2e4));
  expect(scaled(small).contexts).toEqual(scaled(large).contexts);
});
