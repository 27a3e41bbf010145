import * as v from "valibot";
import { expect, test } from "vitest";
import { spikeSchema } from "./options.ts";
import { SpikeGuard } from "./spike-guard.ts";

const OPTIONS = v.parse(spikeSchema, { keepEvery: 5, most: 2 });

/** Judge losses until one leaps; a state is the number of its step. */
function watch(guard: SpikeGuard<string>, losses: readonly number[]) {
  for (const [step, loss] of losses.entries()) {
    const good = guard.judge(step, loss, guard.wants(step) ? `in front of ${step}` : undefined);
    if (good !== undefined) return good;
  }
  return undefined;
}

test("losses that fall, and wander a little, are no spike", () => {
  const guard = new SpikeGuard<string>(OPTIONS, 1);
  const losses = Array.from({ length: 100 }, (_, step) => 4 / (1 + step / 5) + 0.2 * (step % 3));
  expect(watch(guard, losses)).toBeUndefined();
  expect(guard.rollbacks).toEqual([]);
  expect(guard.anchorWeight).toBe(1);
});

test("a leap takes the last state back whose own loss was good, and raises the anchors", () => {
  const guard = new SpikeGuard<string>(OPTIONS, 0.5);
  const losses = Array.from({ length: 23 }, () => 1);
  // The state in front of step 20 is the one that leaps: it was wanted, and must not be what is gone back to.
  const good = watch(guard, [...losses.slice(0, 20), 9]);
  expect(good).toMatchObject({ step: 15, state: "in front of 15" });
  expect(guard.anchorWeight).toBe(0.5 * OPTIONS.raise);
  expect(guard.rollbacks).toMatchObject([{ step: 20, loss: 9, expected: 1, to: 15, anchorWeight: 0.75 }]);
});

test("a loss that is no number is a spike, from the first step on", () => {
  const guard = new SpikeGuard<string>(OPTIONS, 1);
  expect(watch(guard, [1, Number.NaN])).toMatchObject({ step: 0 });
  expect(guard.rollbacks).toMatchObject([{ loss: null }]);
});

test("a run that leaps again and again is given up", () => {
  const guard = new SpikeGuard<string>(OPTIONS, 1);
  watch(guard, [1, Number.NaN]);
  guard.judge(2, Number.NaN, undefined);
  expect(() => guard.judge(3, Number.NaN, undefined)).toThrow(expect.objectContaining({ code: "loss-not-finite" }));
});

test("where no good state is known there is nothing to go back to", () => {
  const guard = new SpikeGuard<string>(OPTIONS, 1);
  expect(() => guard.judge(0, Number.NaN, "bad")).toThrow(expect.objectContaining({ code: "loss-not-finite" }));
});
