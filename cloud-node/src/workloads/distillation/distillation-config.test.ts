import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseConfig } from "./distillation-config.ts";
import { parseExamples } from "./example-file.ts";
import { parseRegistry } from "./registry-csv.ts";
import { beginRunFolder, isRunBegun, readRunFolder } from "./run-folder.ts";
import { planRun } from "./run-plan.ts";
import { memoryPlan, stepsOf } from "./run-stages.ts";

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
  ["profile: { maxRank: 8 }", /profile\.maxRank: say limits\.maxRank/],
  ["profile: { precision: nf4 }", /profile\.precision: say precision/],
  ["student: { largestShare: 1 }", /student\.largestShare: say limits\.studentShare/],
] as const)("%s would go over a limit, and is refused", ([text, message]) => {
  const config = parseConfig(`limits: { maxRank: 2, studentShare: 0.1 }\n${text}`, "distill.yaml");
  expect(() => planRun(config, parseRegistry(REGISTRY.replace("99K", "1"), "r.csv"))).toThrow(message);
});

test("a given teacher is planned for with its own size", () => {
  const config = parseConfig("taxonomy: { code: { from: ../braces } }", "distill.yaml");
  const plan = (size: string) => memoryPlan(planRun(config, parseRegistry(REGISTRY.replace("99K", size), "r.csv")));
  // Four bytes a parameter, at least.
  expect(plan("7B").get("registry")).toBeGreaterThan((4 * 7e9) / 2 ** 20);
  expect(plan("99K").get("registry")).toBeLessThan(300);
});

test("a folder that has one of its two files is begun with the other, as the first says", async () => {
  const folder = await mkdtemp(join(tmpdir(), "distill-begin-"));
  const text = "preset: quick\nteacher: { size: { layers: 1, heads: 2, kvHeads: 1, width: 16, hidden: 32 } }\n";
  await writeFile(join(folder, "distill.yaml"), text);
  expect(await isRunBegun(folder)).toBe(false);
  await beginRunFolder(folder, "usual", 7);
  expect(await isRunBegun(folder)).toBe(true);
  expect(await readFile(join(folder, "distill.yaml"), "utf8")).toBe(text);
  const { teachers, teacher, config } = await readRunFolder(folder);
  expect(teachers).toHaveLength(4);
  expect([teacher.size.width, config.seed]).toEqual([16, 42]);
  await rm(folder, { recursive: true });
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
