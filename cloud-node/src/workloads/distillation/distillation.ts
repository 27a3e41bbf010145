import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { JobError } from "../../jobs/job-error.ts";
import type { JobContext, Workload } from "../../jobs/workload.ts";
import { openBackend } from "../language-model/open-backend.ts";
import { asJobError } from "../language-model/run-inputs.ts";
import { LoraError } from "../lora/lora-error.ts";
import { CONFIG_FILE, parseConfig } from "./distillation-config.ts";
import { DistillationError, type DistillationErrorCode } from "./distillation-error.ts";
import {
  type DistillationParams,
  type DistillationResult,
  inputName,
  OUTPUT_NAME,
  paramsSchema,
  resultSchema,
} from "./distillation-job.ts";
import { parseRegistry, REGISTRY_FILE } from "./registry-csv.ts";
import { planRun } from "./run-plan.ts";
import { stepsOf } from "./run-stages.ts";
import { stepsHere } from "./run-step-here.ts";
import { STAGES } from "./stages.ts";
import type { Step } from "./step.ts";
import { packTree, unpackTree } from "./tree-pack.ts";

/** What is wrong with what was asked, and not with what was given. */
const OPTIONS: ReadonlySet<DistillationErrorCode> = new Set([
  ...(["bad-config", "bad-registry", "teacher-too-weak", "gate-failed", "over-budget"] as const),
  ...(["loss-not-finite", "memory-limit"] as const),
]);

/**
 * `distillation`: one step of a run that distils teachers into a student.
 *
 * Inputs: what the step declares, each packed, by its path below the run's folder. Output: what the step made, packed.
 */
export const distillation: Workload<DistillationParams, DistillationResult> = {
  name: "distillation",
  summary: "distil teachers into one small student, step by step",
  params: paramsSchema,
  result: resultSchema,
  run,
};

async function run(params: DistillationParams, context: JobContext): Promise<DistillationResult> {
  try {
    return await runStep(params, context);
  } catch (error) {
    if (error instanceof DistillationError || error instanceof LoraError) {
      const isOption = error instanceof DistillationError && OPTIONS.has(error.code);
      const code = isOption ? "bad-params" : "bad-input";
      throw new JobError(code, `distillation, ${error.problem}`, error.remedy, { cause: error });
    }
    throw asJobError("distillation", error);
  }
}

async function runStep(params: DistillationParams, context: JobContext): Promise<DistillationResult> {
  const config = parseConfig(params.config, CONFIG_FILE);
  const steps = stepsOf(planRun(config, parseRegistry(params.registry, REGISTRY_FILE)));
  const step = steps.find(({ name }) => name === params.step);
  if (step === undefined) {
    const problem = `distillation: this run has no step ${JSON.stringify(params.step)}`;
    throw new JobError("bad-params", problem, `choose of ${steps.map(({ name }) => name).join(", ")}`);
  }
  const [root, out] = [join(context.scratch, "run"), join(context.scratch, "out")];
  await unpackInputs(step, root, context);
  await mkdir(out);
  const stage = STAGES.find(({ name }) => name === step.stage)?.number ?? 0;
  const runner = stepsHere({
    backend: async (shards = 1) => await openBackend({ name: "wasm-strict", shards, threads: 1 }),
    nowMs: () => performance.now(),
    residentBytes: () => process.memoryUsage.rss(),
    ...{ signal: context.signal, memoryMB: config.limits.memoryMB },
    onProgress: (_, fraction, note) => context.progress({ fraction, note, metrics: { stage } }),
    onLog: (_, line) => context.log(line),
    onLoss: (_, at, loss) =>
      context.progress({ note: `step ${at}, loss ${loss.toFixed(3)}`, metrics: { stage, step: at, loss } }),
  });
  const { facts, measured } = await runner(step, root, out);
  await context.write(OUTPUT_NAME, packTree(out));
  return { step: step.name, stage, facts, ...measured };
}

/** Everything that the step declares, below a folder of its own. @throws {JobError} `bad-input` */
async function unpackInputs(step: Step, root: string, context: JobContext): Promise<void> {
  await mkdir(root);
  for (const path of step.inputs) {
    const input = context.inputs.find(({ name }) => name === inputName(path));
    if (input === undefined) {
      throw new JobError("bad-input", `distillation: ${step.name} needs ${path}`, "give it as an input, packed");
    }
    await unpackTree(await context.file(input), join(root, path));
  }
}
