import { expect, test } from "vitest";
import { GradientCore } from "./gradient-core.ts";
import { PlacedCoder } from "./placed-coder.ts";
import { SizePredictor } from "./size-predictor.ts";

/** Of each tensor, a whole group of lanes and one more. */
const LAYOUT = [
  { name: "a", shape: [5] },
  { name: "b", shape: [1, 2] },
];

class Rig {
  readonly #coder = new PlacedCoder(new GradientCore(), LAYOUT, { kind: "error-bounded" }, 0);
  readonly #average = this.#coder.core.zeros(7);
  readonly predictor = new SizePredictor(this.#coder);

  update(...average: number[]): void {
    this.#coder.core.write(this.#average, Float32Array.from(average));
    this.predictor.update(this.#average);
  }

  units(): number[] {
    return [...this.#coder.core.floats(this.predictor.units().at, 7)];
  }
}

test("before the first average every coordinate has the unit 1", () => {
  expect(new Rig().units()).toEqual([1, 1, 1, 1, 1, 1, 1]);
});

test("the mean square follows what was decoded, with AdamW's weights", () => {
  const rig = new Rig();
  rig.update(1, 2, 0, 0, 3, -1, 0);
  rig.update(1, 0, 0, 0, 1, 0, 0);
  const squares = rig.predictor.squareAverage;
  for (const [at, want] of [0.0199, 0.0396, 0, 0, 0.0991, 0.0099, 0].entries()) {
    expect(squares[at]).toBeCloseTo(want, 6);
  }
});

test("the unit is the fourth root of the mean square, from the first average on", () => {
  const rig = new Rig();
  rig.update(4, 4, 4, 4, 4, 9, 9);
  for (const [at, unit] of rig.units().entries()) expect(unit).toBeCloseTo((at < 5 ? 2 : 3) * 1.1 ** 0.25, 5);
});

test("a larger coordinate has a larger unit, and none is without a unit", () => {
  const rig = new Rig();
  rig.update(16, 4, 1, 0, 2, 0.001, 0);
  const [sixteen = 0, four = 0, , zero = 0, two = 0, ...others] = rig.units();
  expect(sixteen).toBeGreaterThan(four);
  expect(four).toBeGreaterThan(two);
  expect(two).toBeGreaterThan(zero);
  expect(Math.min(zero, ...others)).toBeGreaterThan(0);
});

test("states that differ in one coordinate have other digests", () => {
  const [one, other] = [new Rig(), new Rig()];
  for (const rig of [one, other]) rig.update(1, 2, 3, 4, 5, 6, 7);
  expect(other.predictor.units().digest).toBe(one.predictor.units().digest);
  other.predictor.squareAverage[6] = 0.1;
  expect(other.predictor.units().digest).not.toBe(one.predictor.units().digest);
});

test("units are settled after some averages", () => {
  const rig = new Rig();
  for (let step = 0; step < 4; step += 1) {
    expect(rig.predictor.isSettled).toBe(false);
    rig.update(1, 1, 1, 1, 1, 1, 1);
  }
  expect(rig.predictor.isSettled).toBe(true);
});
