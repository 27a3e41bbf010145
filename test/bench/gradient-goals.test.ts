import { expect, test } from "vitest";
import { isMet, isWhole } from "./bench.ts";
import { goalsOf } from "./gradient-goals.ts";
import type { MethodFigures } from "./gradient-report.ts";

const BEST = "float32 beta1 0.5";

function row(name: string, mode: MethodFigures["mode"], ratio: number, losses: Readonly<Record<number, number>>) {
  const seeds = Object.entries(losses).map(([seed, valLoss]) => {
    return { seed: Number(seed), valLoss, degradation: 100 * (valLoss / 2 - 1), aboveBest: 100 * (valLoss / 1.9 - 1) };
  });
  const mean = (of: "valLoss" | "degradation" | "aboveBest") =>
    seeds.reduce((sum, each) => sum + each[of], 0) / seeds.length;
  const bytes = { bytesPerStep: 1, envelopeBytesPerStep: 0, ratio };
  const [valLoss, degradation, aboveBest] = [mean("valLoss"), mean("degradation"), mean("aboveBest")];
  return { name, mode, ...bytes, valLoss, degradation, aboveBest, seeds, date: "" } satisfies MethodFigures;
}

function goal(methods: readonly MethodFigures[], what: string) {
  const found = goalsOf(methods, BEST, 2).find((each) => each.what.startsWith(what));
  if (found === undefined) throw new RangeError(`no goal ${what}`);
  return found;
}

test("a ratio counts as the whole number next to it, and less than that does not reach its goal", () => {
  const of = (ratio: number) => [row("sync-50", "synchronous", ratio, { 1: 2.01, 2: 2.01 })];
  const what = "loss above float32's, synchronous, at 50x";
  expect(goal(of(49.9), what).measured).toBeCloseTo(0.5, 9);
  expect(goal(of(49.4), what).measured).toBeNaN();
});

test("what must hold beside float32 is aimed at beside its best row", () => {
  const methods = [row("sync-50", "synchronous", 50, { 1: 2, 2: 2 })];
  const beside = goal(methods, `loss above that of ${BEST}, synchronous, at 45x`);
  expect([beside.must, beside.aimedAt]).toEqual([undefined, { below: 5 }]);
  expect(beside.measured).toBeCloseTo(100 * (2 / 1.9 - 1), 9);
  expect(goal(methods, "loss above float32's, synchronous, at 45x").must).toEqual({ below: 5 });
});

test("the better row of a peer counts, whichever momentum it has", () => {
  const ours = row("sync-50", "synchronous", 50, { 1: 2, 2: 2 });
  const usual = row("PowerSGD rank 2", "peer", 40, { 1: 2.1, 2: 2.1 });
  const better = row("PowerSGD rank 2 beta1 0.5", "peer", 40, { 1: 1.9, 2: 1.9 });
  expect(isMet(goal([ours, usual], "loss beside PowerSGD rank 2"))).toBe(true);
  const beside = goal([ours, usual, better], "loss beside PowerSGD rank 2 beta1 0.5");
  expect([isMet(beside), isWhole(beside)]).toEqual([false, true]);
});

test("losses are compared over the seeds that both have, and that some are missing is a goal missed", () => {
  const ours = row("sync-50", "synchronous", 50, { 1: 2, 2: 9 });
  const beside = goal([ours, row("PowerSGD rank 2", "peer", 40, { 1: 2 })], "loss beside PowerSGD rank 2");
  expect([beside.measured, beside.cells, isMet(beside)]).toEqual([0, { measured: 1, of: 2 }, false]);
});
