import { expect, test } from "vitest";
import { planOnLattice } from "./lattice-plan.ts";

const CLAIM = { spacing: 0.005, rounding: 1e-7 };
const request = (eps: number) => ({ name: "lead", eps, min: -1, max: 1 });

test("a bound of a few spacings is planned on the lattice, one of many is not", () => {
  expect(planOnLattice(request(0.0201), CLAIM)?.config.lattice).toBeGreaterThan(1);
  expect(planOnLattice(request(0.0801), CLAIM)).toBeUndefined();
});

test("a bound below one spacing costs no more than none", () => {
  const plan = planOnLattice(request(0.001), CLAIM);
  const { e = 0, lattice = 0 } = plan?.config ?? {};
  expect(lattice).toBeGreaterThan(1);
  expect(e).toBeLessThan(lattice);
});

test("no lattice, bins that it would not widen, and a bound near the rounding of readings give no plan", () => {
  expect(planOnLattice(request(0.001), { ...CLAIM, spacing: undefined })).toBeUndefined();
  expect(planOnLattice(request(0.0099), CLAIM)).toBeUndefined();
  expect(planOnLattice(request(3e-7), CLAIM)).toBeUndefined();
});
