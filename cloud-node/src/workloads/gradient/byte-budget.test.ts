import { expect, test } from "vitest";
import { normalNumbers } from "../../tensor/random.ts";
import { ByteBudget } from "./byte-budget.ts";

const WEIGHTS = new Float32Array(10_000).fill(1);

test("the first threshold leaves about the wanted share beyond it", () => {
  const budget = new ByteBudget(100);
  const values = normalNumbers(10_000, 2, 1, "values");
  budget.begin(values, WEIGHTS, 0.05);
  const beyond = values.filter((value) => Math.abs(value) >= budget.threshold).length;
  expect(beyond).toBeGreaterThan(450);
  expect(beyond).toBeLessThan(550);
});

test("messages settle at the wanted bytes, and those of the beginning are made up for", () => {
  const budget = new ByteBudget(500);
  budget.begin(normalNumbers(10_000, 1, 1, "values"), WEIGHTS, 0.5);
  let bytes = 0;
  for (let step = 0; step < 200; step += 1) {
    // A coordinate beyond the threshold takes half a byte: what falls off like a normal distribution's tail.
    const values = normalNumbers(10_000, 1, step + 2, "values");
    const spent = values.filter((value) => Math.abs(value) >= budget.threshold).length / 2;
    budget.spent(spent);
    bytes += spent;
  }
  expect(bytes / 200).toBeGreaterThan(490);
  expect(bytes / 200).toBeLessThan(510);
});

test("a gradient of zeros has a threshold above zero", () => {
  const budget = new ByteBudget(100);
  budget.begin(new Float32Array(10_000), WEIGHTS, 0.05);
  for (let step = 0; step < 100; step += 1) budget.spent(1);
  expect(budget.threshold).toBeGreaterThan(0);
});
