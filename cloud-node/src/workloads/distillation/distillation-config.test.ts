import { expect, test } from "vitest";
import { parseConfig } from "./distillation-config.ts";
import { parseExamples } from "./example-file.ts";
import { parseRegistry } from "./registry-csv.ts";
import { planRun } from "./run-plan.ts";
import { stepsOf } from "./run-stages.ts";

test("everything may be left out", () => {
  const { preset, seed, precision, limits } = parseConfig("", "distill.yaml");
  expect({ preset, seed, precision }).toEqual({ preset: "usual", seed: 42, precision: "int8" });
  expect(limits.retention).toBe(0.97);
});

test.for([
  ["no YAML", "seed: [", /it is no YAML/],
  ["an option that there is not", "sead: 7", /sead: there is no such option/],
  ["a seed that is no number", "seed: many", /seed:/],
  [
    "a path out of the folder",
    "taxonomy: { code: { benchmark: ../../secret } }",
    /taxonomy\.code\.benchmark: a path below/,
  ],
  ["an absolute path", "taxonomy: { code: { benchmark: /etc/passwd } }", /a path below/],
  ["a category that there is not", "taxonomy: { astrology: {} }", /taxonomy\.astrology/],
  ["retention above all", "limits: { retention: 1.5 }", /limits\.retention/],
  ["aliases, which make a small text a large object", "a: &a [1]\nb: *a", /it is no YAML/],
  ["a text without end", `# ${"x".repeat(70_000)}`, /70002 characters/],
] as const)("%s is refused by name", ([, text, message]) => {
  expect(() => parseConfig(text, "distill.yaml")).toThrow(message);
});

const REGISTRY = "ModelName,Parameters,Category,BestFeature\nbraces,99K,code,brackets\n";

test("what a configuration has over its preset is checked as a whole, by name", () => {
  const plan = (text: string) => planRun(parseConfig(text, "distill.yaml"), parseRegistry(REGISTRY, "r.csv"));
  const given = "taxonomy: { code: { from: ../braces } }\n";
  expect(plan(`${given}distil: { anchorWeight: 2 }`).distil.anchorWeight).toBe(2);
  expect(plan(`${given}limits: { maxRank: 3 }`).profile.maxRank).toBe(3);
  expect(() => plan(`${given}distil: { anchorWait: 2 }`)).toThrow(/distil\.anchorWait/);
  expect(() => plan(`${given}teacher: { steps: 0 }`)).toThrow(/teacher\.steps/);
  expect(() => plan("taxonomy: { code: { from: ../braces }, facts: {} }")).toThrow(/no teacher of it/);
  expect(() => plan("")).toThrow(/BestFeature\.csv:2:2: it says 99000 parameters/);
});

test.for([
  "bundle",
  "bundle/code.jsonl",
  "Bundle/code.jsonl",
  "measured",
  "teachers/braces/code.jsonl",
  "evidence/code.jsonl",
])("data at %s, where a run keeps what it makes and takes away, is refused by name", (benchmark) => {
  const given = (path: string) =>
    parseConfig(`taxonomy: { code: { from: ../braces, benchmark: ${path} } }`, "distill.yaml");
  const steps = (path: string) => stepsOf(planRun(given(path), parseRegistry(REGISTRY, "r.csv")));
  expect(() => steps(benchmark)).toThrow(/taxonomy\.code\.benchmark: .* cannot both be there/);
  expect(steps("bundled/code.jsonl").length).toBeGreaterThan(8);
});

test.for([
  ["", "1: it has no example"],
  ['{"prompt":"a","answer":"b"}\n{', "2: the line is no JSON"],
  ['{"prompt":"a"}', "1: answer"],
  ['{"prompt":"","answer":"b"}', "1: prompt"],
  ['{"prompt":"a","answer":"b","more":1}', "1: more"],
] as const)("examples such as %j are refused with their line", ([text, place]) => {
  expect(() => parseExamples(text, "b.jsonl")).toThrow(`b.jsonl:${place}`);
});
