import { expect, test } from "vitest";
import { LinkProblems } from "./link-problems.ts";

test("a problem of many devices is told once, another one too, and the end of the last", () => {
  const told: string[] = [];
  const problems = new LinkProblems((text) => told.push(text));
  problems.add("a", "nothing listens");
  problems.add("b", "nothing listens");
  problems.add("b", "no such host");
  expect([problems.of("a"), problems.of("b"), problems.of("c")]).toEqual([
    "nothing listens",
    "no such host",
    undefined,
  ]);
  problems.remove("b");
  problems.remove("b");
  problems.remove("a");
  problems.add("b", "nothing listens");
  expect(told).toEqual(["a: nothing listens", "b: no such host", "a: connected again", "b: nothing listens"]);
});
