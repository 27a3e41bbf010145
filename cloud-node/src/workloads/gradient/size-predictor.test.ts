import { expect, test } from "vitest";
import { SizePredictor } from "./size-predictor.ts";

const LAYOUT = [
  { name: "a", shape: [2, 2] },
  { name: "b", shape: [2] },
];

function scaled(predictor: SizePredictor): number[] {
  const weights = new Float32Array(6);
  predictor.scale(weights);
  return [...weights];
}

test("before the first average every coordinate has the unit 1", () => {
  expect(scaled(new SizePredictor(LAYOUT))).toEqual([1, 1, 1, 1, 1, 1]);
});

test("the mean square follows what was decoded, with AdamW's weights", () => {
  const predictor = new SizePredictor(LAYOUT);
  predictor.update(Float32Array.of(1, 2, 0, 0, -1, 0));
  predictor.update(Float32Array.of(1, 0, 0, 0, 0, 0));
  expect(predictor.squareAverage[0]).toBeCloseTo(0.0199, 6);
  expect(predictor.squareAverage[1]).toBeCloseTo(0.0396, 6);
});

test("the unit is the fourth root of the mean square, from the first average on", () => {
  const predictor = new SizePredictor(LAYOUT);
  predictor.update(Float32Array.of(4, 4, 4, 4, 9, 9));
  for (const [at, weight] of scaled(predictor).entries()) expect(weight).toBeCloseTo((at < 4 ? 2 : 3) * 1.1 ** 0.25, 5);
});

test("a larger coordinate has a larger unit, and none is without a unit", () => {
  const predictor = new SizePredictor(LAYOUT);
  predictor.update(Float32Array.of(16, 4, 1, 0, 0.001, 0));
  const weights = scaled(predictor);
  expect(weights[0]).toBeGreaterThan(weights[1] ?? 0);
  expect(weights[1]).toBeGreaterThan(weights[3] ?? 0);
  expect(Math.min(...weights)).toBeGreaterThan(0);
});

test("units are settled after some averages", () => {
  const predictor = new SizePredictor(LAYOUT);
  for (let step = 0; step < 4; step += 1) {
    expect(predictor.isSettled).toBe(false);
    predictor.update(new Float32Array(6).fill(1));
  }
  expect(predictor.isSettled).toBe(true);
});
