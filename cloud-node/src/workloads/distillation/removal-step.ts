import { cp, readFile, realpath, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as v from "valibot";
import type { JsonObject } from "../../jobs/job.ts";
import { CATEGORIES, type Category } from "./capability.ts";
import { distilAdapter } from "./distil.ts";
import { TAUGHT_STUDENT } from "./distil-steps.ts";
import { DistillationError } from "./distillation-error.ts";
import { readChecked, writeJson } from "./evidence.ts";
import { parseExamples } from "./example-file.ts";
import type { GateAnswer } from "./gate-messages.ts";
import { askIsolated } from "./gate-process.ts";
import { ANSWERS_FILE, answersSchema, BENCHMARK_FILE, measuredFolder } from "./registry-steps.ts";
import { retentionOf } from "./retention.ts";
import type { RunHooks } from "./run-hooks.ts";
import { asJson, type RunPlan } from "./run-plan.ts";
import type { Step, StepFolders } from "./step.ts";
import { ADAPTERS_FOLDER } from "./student.ts";
import { teacherReferences } from "./student-references.ts";

/** Output of the gate: its report, and the student that passed. */
export const GATED_FOLDER = "gated";
export const GATE_FILE = "gate.json";
export const GATED_STUDENT = "student";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const amount = v.pipe(v.number(), v.finite(), v.minValue(0));

/** What a capability is worth in a student, beside its teacher. */
export const capabilityReportSchema = v.strictObject({
  category: v.picklist(CATEGORIES),
  ...{ prompts: count, teacher: count, student: count },
  ...{ retention: amount, low: amount, high: amount },
  /** Prompts that the router sent to another capability's adapter. */
  misrouted: count,
  isKept: v.boolean(),
});

/** `gate.json`. */
export const gateSchema = v.strictObject({
  format: v.literal("lockstep-distillation-gate"),
  version: v.literal(1),
  /** Asked of the process that answered; evidence has what its network was, which differs from machine to machine. */
  isolation: v.strictObject({ files: v.literal("denied") }),
  least: amount,
  /** How often each capability was taught again. */
  retries: v.record(v.string(), count),
  capabilities: v.array(capabilityReportSchema),
  /** By category, in the order of the benchmark. */
  answers: v.record(v.string(), v.array(v.string())),
  /** Whose adapter each was given with. */
  adapters: v.record(v.string(), v.array(v.picklist(CATEGORIES))),
});
export type GateReport = v.InferOutput<typeof gateSchema>;

/** Stage 5: teachers are gone, and the student is asked alone; what it has lost is taught again, from right answers. */
export function removalStep(plan: RunPlan): Step {
  const { teachers, distil, config } = plan;
  const { retention: least, retries } = config.limits;
  return {
    ...{ stage: "removal", name: "gate", output: GATED_FOLDER },
    inputs: [TAUGHT_STUDENT, ...teachers.map(({ category }) => measuredFolder(category))],
    options: asJson({ least, retries, seed: config.seed, phase: distil.adapters }),
    removes: { when: "before", paths: teachers.map(({ folder }) => folder), isAsked: true },
    run: async (folders, hooks) => {
      const student = join(folders.out, GATED_STUDENT);
      await cp(folders.in(TAUGHT_STUDENT), student, { recursive: true });
      const tried: Record<string, number> = {};
      for (;;) {
        const report = await gate(plan, folders, student, tried, hooks);
        const lost = report.capabilities.filter(({ isKept }) => !isKept);
        const again = lost.filter(({ category }) => (tried[category] ?? 0) < retries);
        if (lost.length === 0) {
          await writeJson(join(folders.out, GATE_FILE), report);
          return gateFacts(report);
        }
        if (again.length < lost.length) throw failed(lost, least);
        for (const { category } of again) {
          tried[category] = (tried[category] ?? 0) + 1;
          hooks.onLog(`${category}: kept too little; its adapter is taught again, time ${tried[category]}`);
          await teachAgain(plan, student, category, tried[category] ?? 1, hooks);
        }
      }
    },
  };
}

/** What evidence has of a report. */
export function gateFacts({ answers: _, adapters: __, ...facts }: GateReport): JsonObject {
  return asJson(facts);
}

async function gate(
  { teachers, config }: RunPlan,
  folders: StepFolders,
  student: string,
  retries: Readonly<Record<string, number>>,
  hooks: RunHooks,
): Promise<GateReport> {
  const former = await teacherPlaces(folders.root, teachers);
  const models = teachers.map(({ model }) => model);
  const [reference] = await teacherReferences(student, models, former);
  if (reference !== undefined) {
    const problem = `${reference.file} of the student names the teacher ${reference.teacher}`;
    throw new DistillationError("gate-failed", problem, "a student must need nothing but its own folder");
  }
  const measured = new Map(teachers.map(({ category }) => [category, folders.in(measuredFolder(category))]));
  const answer = await askStudent(student, measured, former, hooks);
  const capabilities = [];
  for (const [category, folder] of measured) capabilities.push(await judge(answer, category, folder, config));
  return {
    ...{ format: "lockstep-distillation-gate", version: 1, least: config.limits.retention, retries: { ...retries } },
    isolation: { files: "denied" },
    ...{ capabilities, answers: answer.answers, adapters: answer.adapters },
  };
}

/** Where teachers were, and where those that were given still are, by every name that leads there. */
export async function teacherPlaces(root: string, teachers: RunPlan["teachers"]): Promise<string[]> {
  const places = teachers.flatMap(({ folder, from }) => {
    return [join(root, folder), ...(from === undefined ? [] : [resolve(root, from)])];
  });
  const real = await Promise.all(places.map((place) => realpath(place).catch(() => place)));
  return [...new Set([...places, ...real])];
}

/** Ask a student all benchmarks in a process of its own. @throws as `askIsolated` */
export async function askStudent(
  student: string,
  measured: ReadonlyMap<string, string>,
  former: readonly string[],
  { signal, onAlone }: Pick<RunHooks, "signal" | "onAlone">,
): Promise<GateAnswer> {
  const benchmarks = Object.fromEntries(
    [...measured].map(([category, folder]) => [category, join(folder, BENCHMARK_FILE)]),
  );
  const answer = await askIsolated({ student, benchmarks, former }, signal);
  onAlone?.(answer);
  return answer;
}

/** How a student stands beside the teacher that once answered the same prompts. */
export async function judge(
  { answers, adapters }: Pick<GateAnswer, "answers" | "adapters">,
  category: Category,
  folder: string,
  { seed, limits }: Pick<RunPlan["config"], "seed" | "limits">,
): Promise<GateReport["capabilities"][number]> {
  const path = join(folder, BENCHMARK_FILE);
  const right = parseExamples(await readFile(path, "utf8"), path).map(({ answer }) => answer);
  const teacher = await readChecked(join(folder, ANSWERS_FILE), answersSchema, "bad-evidence");
  const kept = retentionOf(teacher.answers, answers[category] ?? [], right, seed);
  const misrouted = (adapters[category] ?? []).filter((adapter) => adapter !== category).length;
  return { category, ...kept, misrouted, isKept: kept.retention >= limits.retention };
}

/** The teacher is gone: its adapter learns from right answers, other ones each time. */
async function teachAgain(
  { distil: options, config: { seed } }: RunPlan,
  student: string,
  category: Category,
  time: number,
  hooks: RunHooks,
): Promise<void> {
  const place = join(student, ADAPTERS_FOLDER, category);
  const made = `${student}-${category}`;
  await distilAdapter(made, { category, student, options, seed: seed + time }, hooks);
  await rm(place, { recursive: true });
  await cp(made, place, { recursive: true });
  await rm(made, { recursive: true });
}

function failed(lost: GateReport["capabilities"], least: number): DistillationError {
  const list = lost.map(({ category, student, teacher }) => `${category} ${student} of ${teacher}`).join(", ");
  const problem = `the student has lost too much: ${list}; at least ${least} of each must be kept`;
  return new DistillationError("gate-failed", problem, "give the student more parameters or more steps, in a new run");
}
