import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Category } from "./capability.ts";
import { distilAdapter } from "./distil.ts";
import { parseConfig } from "./distillation-config.ts";
import { watchedRun } from "./distillation-rig.suite.ts";
import { writeDrawnStudent } from "./drawn-student.suite.ts";
import { writeJson } from "./evidence.ts";
import { formatExamples } from "./example-file.ts";
import { answerBenchmarks } from "./gate-answers.ts";
import { parseRegistry } from "./registry-csv.ts";
import { ANSWERS_FILE, BENCHMARK_FILE, measuredFolder } from "./registry-steps.ts";
import { GATE_FILE, GATED_STUDENT, removalStep } from "./removal-step.ts";
import { planRun, type RunPlan } from "./run-plan.ts";
import { stepsHere } from "./run-step-here.ts";
import { scoreOf } from "./score.ts";
import { digestTree } from "./tree-digest.ts";

const REGISTRY = "ModelName,Parameters,Category,BestFeature\nalmanac,5K,facts,towns\nbraces,5K,code,brackets\n";
const CONFIG = {
  ...{ preset: "quick", prompts: 20, taxonomy: { facts: { from: "../a" }, code: { from: "../b" } } },
  distil: { adapters: { steps: 2, tokens: 64, learningRate: 0.05, questions: 10 } },
};
const PROMPTS = 20;

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "removal-step-"));
  await writeDrawnStudent(join(root, "student"));
  await taught();
});
afterAll(() => rm(root, { recursive: true }));

const planOf = (retries: number): RunPlan =>
  planRun(
    parseConfig(JSON.stringify({ ...CONFIG, limits: { retries } }), "distill.yaml"),
    parseRegistry(REGISTRY, "r.csv"),
  );

/**
 * Benchmarks by what students say: code as the one at the gate says it; facts as it will once their adapter is taught again. So it
 * fails in facts alone, and is right in all after one retry.
 */
async function taught(): Promise<void> {
  const again = join(root, "again");
  await cp(join(root, "student"), again, { recursive: true });
  const { distil, config } = planOf(1);
  const request = {
    category: "facts" as const,
    student: join(root, "student"),
    options: distil,
    seed: config.seed + 1,
  };
  await rm(join(again, "adapters/facts"), { recursive: true });
  await distilAdapter(join(again, "adapters/facts"), request, watchedRun());
  for (const [category, student] of [
    ["facts", again],
    ["code", join(root, "student")],
  ] as const) {
    await writeMeasured(category, student);
  }
}

async function writeMeasured(category: Category, student: string): Promise<void> {
  const place = join(root, measuredFolder(category));
  await mkdir(place, { recursive: true });
  // The drawn router knows code by its brackets.
  const asked = Array.from({ length: PROMPTS }, (_, at) => ({
    prompt: category === "code" ? `f(${at}` : `town ${at}`,
    answer: "?",
  }));
  await writeFile(join(place, BENCHMARK_FILE), formatExamples(asked));
  const { answers } = await answerBenchmarks(student, { [category]: join(place, BENCHMARK_FILE) });
  const said = asked.map(({ prompt }, at) => ({ prompt, answer: answers[category]?.[at] || "?" }));
  await writeFile(join(place, BENCHMARK_FILE), formatExamples(said));
  const score = scoreOf(PROMPTS, PROMPTS);
  await writeJson(join(place, ANSWERS_FILE), {
    ...{ format: "lockstep-distillation-answers", version: 1, category, answers: said.map(({ answer }) => answer) },
    scores: { float32: score, int8: score, nf4: score },
  });
}

async function gateWith(
  retries: number,
): Promise<{ readonly out: string; readonly lines: string[]; readonly end: Promise<unknown> }> {
  const out = await mkdtemp(join(root, "out-"));
  const lines: string[] = [];
  const runner = stepsHere({
    ...{ backend: watchedRun().backend, nowMs: () => 0, residentBytes: () => 0, memoryMB: 4096 },
    ...{ signal: new AbortController().signal, onProgress: () => {}, onLoss: () => {} },
    onLog: (_, line) => void lines.push(line),
  });
  return { out, lines, end: runner(removalStep(planOf(retries)), root, out) };
}

test("a capability that fails the gate is taught again, its adapter alone, and that is logged and counted", async () => {
  const { out, lines, end } = await gateWith(1);
  await expect(end).resolves.toMatchObject({
    facts: { retries: { facts: 1 } },
    measured: { peakMB: expect.any(Number) },
  });
  expect(lines).toEqual(["facts: kept too little; its adapter is taught again, time 1"]);
  const [before, after] = [await digestTree(join(root, "student")), await digestTree(join(out, GATED_STUDENT))];
  const changed = after.files.filter(
    ({ path, sha256 }) => before.files.find((file) => file.path === path)?.sha256 !== sha256,
  );
  expect(changed.map(({ path }) => path)).toContain("adapters/facts/adapter_model.safetensors");
  expect(changed.filter(({ path }) => !path.startsWith("adapters/facts/"))).toEqual([]);
  expect(after.files).toHaveLength(before.files.length);
  const { capabilities } = JSON.parse(await readFile(join(out, GATE_FILE), "utf8")) as {
    capabilities: { student: number }[];
  };
  expect(capabilities.map(({ student }) => student)).toEqual([PROMPTS, PROMPTS]);
});

test("a capability that still fails after its retries ends the run by name, with no report", async () => {
  const { out, lines, end } = await gateWith(0);
  await expect(end).rejects.toMatchObject({
    code: "gate-failed",
    problem: expect.stringMatching(/facts \d+ of 20; at least/),
  });
  expect(lines).toEqual([]);
  expect((await digestTree(out)).files.some(({ path }) => path === GATE_FILE)).toBe(false);
});
