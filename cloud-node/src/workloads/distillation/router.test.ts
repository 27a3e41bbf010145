import * as v from "valibot";
import { expect, test } from "vitest";
import { capabilityOf } from "./capabilities.ts";
import { benchmarkOf, CATEGORIES } from "./capability.ts";
import { watchedRun } from "./distillation-rig.suite.ts";
import { route, routerParameters, routerSchema, trainRouter } from "./router.ts";

const router = await trainRouter(await watchedRun().backend(), CATEGORIES, 1);

test("questions that it never learned from go to the adapter that they are of", () => {
  const asked = CATEGORIES.flatMap((category) =>
    benchmarkOf(capabilityOf(category), 50).map(({ prompt }) => ({ category, routed: route(router, prompt) })),
  );
  expect(asked.length).toBe(50 * CATEGORIES.length);
  expect(asked.filter(({ category, routed }) => routed !== category).length).toBeLessThanOrEqual(asked.length / 100);
});

test("characters that it does not know have no say, and a question of nothing goes somewhere", () => {
  expect(route(router, "712+10")).toBe("arithmetic");
  expect(route(router, "Ω712+10🙂")).toBe("arithmetic");
  expect(CATEGORIES).toContain(route(router, ""));
});

test("its numbers are those that it says it has", () => {
  expect(routerParameters(router)).toBe(router.weights.flat().length + router.bias.length);
});

test.each([
  ["weights of another shape", { ...router, weights: router.weights.slice(1) }],
  ["a number that is none", { ...router, bias: router.bias.map(() => Number.NaN) }],
  ["a category that nobody knows", { ...router, categories: router.categories.map(() => "poetry") }],
  ["another format", { ...router, format: "lockstep student" }],
])("%s are no router", (_, damaged) => {
  expect(v.safeParse(routerSchema, damaged).success).toBe(false);
});
