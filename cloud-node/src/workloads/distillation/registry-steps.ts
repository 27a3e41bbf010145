import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { replaceFile } from "../language-model/replace-file.ts";
import { capabilityOf } from "./capabilities.ts";
import { benchmarkOf, CATEGORIES, type Example } from "./capability.ts";
import type { Precision } from "./distillation-config.ts";
import { DistillationError } from "./distillation-error.ts";
import { readChecked, sha256Schema, writeJson } from "./evidence.ts";
import { formatExamples, parseExamples } from "./example-file.ts";
import type { RunHooks } from "./run-hooks.ts";
import { asJson, type PlannedTeacher, type RunPlan } from "./run-plan.ts";
import { scoreAnswers } from "./score.ts";
import type { Step } from "./step.ts";
import { openTeacher } from "./teacher-answerer.ts";
import { digestTree } from "./tree-digest.ts";

/** What a measured teacher's folder has. */
export const BENCHMARK_FILE = "benchmark.jsonl";
export const ANSWERS_FILE = "answers.json";
export const REGISTRY_FOLDER = "registry";
export const REGISTRY_JSON = "teacher_registry.json";
/** How a teacher is asked: as it is, and quantised. */
const PRECISIONS: readonly Precision[] = ["float32", "int8", "nf4"];

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const scoreSchema = v.strictObject({ correct: count, total: count, share, low: share, high: share });
const scoresSchema = v.strictObject({ float32: scoreSchema, int8: scoreSchema, nf4: scoreSchema });

/** What each of a benchmark's prompts was answered. */
export const answersSchema = v.strictObject({
  format: v.literal("lockstep-distillation-answers"),
  version: v.literal(1),
  category: v.picklist(CATEGORIES),
  scores: scoresSchema,
  /** The teacher's as it is, in the order of the prompts. */
  answers: v.array(v.string()),
});

/** `teacher_registry.json`: teachers, bound to their benchmarks, and what each is worth. */
export const teacherRegistrySchema = v.strictObject({
  format: v.literal("lockstep-teacher-registry"),
  version: v.literal(1),
  teachers: v.array(
    v.strictObject({
      ...{ model: v.string(), parameters: count, category: v.picklist(CATEGORIES), feature: v.string() },
      benchmark: v.strictObject({ title: v.string(), prompts: count, sha256: sha256Schema }),
      precision: v.picklist(PRECISIONS),
      scores: scoresSchema,
    }),
  ),
});

/** Where the measured teacher of a category is, below the run's folder. */
export function measuredFolder(category: string): string {
  return `measured/${category}`;
}

/** Stage 1: a teacher answers its benchmark, as it is and quantised. */
export function measureStep({ prompts, config: { limits } }: RunPlan, teacher: PlannedTeacher): Step {
  const { category, folder, benchmark } = teacher;
  return {
    ...{ stage: "registry", name: `measure-${category}`, output: measuredFolder(category) },
    inputs: ["lock", folder, ...(benchmark === undefined ? [] : [benchmark])],
    options: asJson({ category, prompts, least: limits.teacher }),
    run: async (folders, hooks) => {
      const examples = await benchmarkFor(teacher, prompts, (path) => folders.in(path));
      await replaceFile(join(folders.out, BENCHMARK_FILE), [formatExamples(examples)]);
      const given = new Map<Precision, string[]>();
      for (const [at, precision] of PRECISIONS.entries()) {
        hooks.onProgress(at / PRECISIONS.length, `${category}: asked in ${precision}`);
        given.set(precision, await answersOf(folders.in(folder), precision, examples, hooks));
      }
      const score = (precision: Precision) => scoreAnswers(given.get(precision) ?? [], examples);
      const scores = { float32: score("float32"), int8: score("int8"), nf4: score("nf4") };
      if (scores.float32.share < limits.teacher) {
        const { correct, total } = scores.float32;
        const problem = `${teacher.model} answers ${correct} of ${total} prompts of ${category}`;
        throw new DistillationError("teacher-too-weak", problem, "give it more steps, or another teacher");
      }
      const answers = given.get("float32") ?? [];
      await writeJson(join(folders.out, ANSWERS_FILE), {
        ...{ format: "lockstep-distillation-answers", version: 1, category, scores, answers },
      });
      return asJson({ category, scores });
    },
  };
}

/** What a capability is measured by: made up by a rule, or the first lines of a file. @throws {DistillationError} `bad-examples` */
export async function benchmarkFor(
  { category, benchmark }: Pick<PlannedTeacher, "category" | "benchmark">,
  prompts: number,
  placeOf: (path: string) => string,
): Promise<Example[]> {
  if (benchmark === undefined) return benchmarkOf(capabilityOf(category), prompts);
  return parseExamples(await readFile(placeOf(benchmark), "utf8"), benchmark).slice(0, prompts);
}

async function answersOf(
  folder: string,
  precision: Precision,
  examples: readonly Example[],
  hooks: RunHooks,
): Promise<string[]> {
  const teacher = await openTeacher(folder, precision, hooks);
  try {
    const answers: string[] = [];
    for (const { prompt } of examples) {
      hooks.signal.throwIfAborted();
      answers.push((await teacher.answer(prompt)).text);
    }
    return answers;
  } finally {
    teacher.close();
  }
}

/** Stage 1: what was measured, as one registry. */
export function registryStep(plan: RunPlan): Step {
  const { teachers } = plan;
  const { precision } = plan.config;
  return {
    ...{ stage: "registry", name: "registry", output: REGISTRY_FOLDER },
    inputs: ["lock", ...teachers.map(({ category }) => measuredFolder(category))],
    options: asJson({
      precision,
      teachers: teachers.map(({ model, category, feature }) => [model, category, feature]),
    }),
    run: async (folders) => {
      await writeJson(join(folders.out, REGISTRY_JSON), await registryOf(plan, (path) => folders.in(path)));
      return { teachers: teachers.length };
    },
  };
}

/** `teacher_registry.json`, as it follows from what was measured. */
export async function registryOf(
  { teachers, config: { precision } }: RunPlan,
  placeOf: (path: string) => string,
): Promise<v.InferOutput<typeof teacherRegistrySchema>> {
  const entries = [];
  for (const { model, parameters, category, feature } of teachers) {
    const measured = placeOf(measuredFolder(category));
    const { scores } = await readChecked(join(measured, ANSWERS_FILE), answersSchema, "bad-evidence");
    const { files } = await digestTree(measured);
    const sha256 = files.find(({ path }) => path === BENCHMARK_FILE)?.sha256;
    const benchmark = { title: capabilityOf(category).title, prompts: scores.float32.total, sha256 };
    entries.push({ model, parameters, category, feature, benchmark, precision, scores });
  }
  return v.parse(teacherRegistrySchema, { format: "lockstep-teacher-registry", version: 1, teachers: entries });
}
