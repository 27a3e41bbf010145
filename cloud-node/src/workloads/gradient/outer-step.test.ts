import { expect, test } from "vitest";
import { OuterStep } from "./outer-step.ts";

test("without momentum the average way is scaled, and nothing is kept", () => {
  const outer = new OuterStep(2, { rate: 1.5, momentum: 0 });
  const way = Float32Array.of(2, -4);
  outer.apply(way);
  expect([...way]).toEqual([3, -6]);
  expect(outer.velocity).toHaveLength(0);
});

test("with momentum it is Nesterov's step", () => {
  const outer = new OuterStep(1, { rate: 0.5, momentum: 0.5 });
  const ways = [4, 0, 0].map((x) => {
    const way = Float32Array.of(x);
    outer.apply(way);
    return way[0];
  });
  // Velocities 4, 2, 1; steps 0.5 (way + 0.5 velocity).
  expect(ways).toEqual([3, 0.5, 0.25]);
});
