import { expect, test } from "vitest";
import { normalNumbers } from "../../tensor/random.ts";
import { ByteBudget } from "./byte-budget.ts";

test("messages settle at the wanted bytes, and those of the beginning are made up for", () => {
  const budget = new ByteBudget(500);
  budget.begin(0.7);
  let bytes = 0;
  for (let step = 0; step < 300; step += 1) {
    // A coordinate beyond the threshold takes half a byte: what falls off like a normal distribution's tail.
    const values = normalNumbers(10_000, 1, step + 2, "values");
    const spent = values.filter((value) => Math.abs(value) >= budget.threshold).length / 2;
    budget.spent(spent);
    bytes += spent;
  }
  expect(bytes / 300).toBeGreaterThan(490);
  expect(bytes / 300).toBeLessThan(510);
});

test("a gradient of zeros has a threshold above zero", () => {
  const budget = new ByteBudget(100);
  budget.begin(0);
  for (let step = 0; step < 100; step += 1) budget.spent(1);
  expect(budget.threshold).toBeGreaterThan(0);
});
