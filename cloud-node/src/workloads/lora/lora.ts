import { createReadStream } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { InvariantError } from "../../invariant-error.ts";
import { JobError } from "../../jobs/job-error.ts";
import type { JobContext, Workload } from "../../jobs/workload.ts";
import { openBackend } from "../language-model/open-backend.ts";
import { replaceFile } from "../language-model/replace-file.ts";
import { asJobError } from "../language-model/run-inputs.ts";
import { ADAPTER_CONFIG_FILE, ADAPTER_FILE } from "./adapter-file.ts";
import { compareResults } from "./compare-results.ts";
import { comparisonReport } from "./comparison-report.ts";
import { evaluateModel } from "./evaluate-model.ts";
import { LoraError } from "./lora-error.ts";
import { type LoraParams, type LoraResult, paramsSchema, resultSchema } from "./lora-job.ts";
import { makeDataset } from "./make-dataset.ts";
import type { EvaluationResult } from "./result-file.ts";
import { loadPatterns } from "./shipped-patterns.ts";
import { CHECKPOINT_FILE, TRAINING_FILE, trainAdapter } from "./train-adapter.ts";

/** Inputs with this ending are patterns; all others are the model's files. */
const PATTERN_FILE = /\.ya?ml$/;
const REPORT = "report.md";

/**
 * `lora`: patterns taught to a Llama by a low-rank adapter, and what it knows before and after.
 *
 * Inputs: the files of the model's folder, and patterns in YAML, the shipped ones where there are none. Outputs: the adapter
 * as PEFT reads it, what its training was like, and a report. Another attempt goes on from the newest checkpoint.
 */
export const lora: Workload<LoraParams, LoraResult> = {
  name: "lora",
  summary: "teach patterns to a small Llama",
  params: paramsSchema,
  result: resultSchema,
  run,
};

async function run(params: LoraParams, context: JobContext): Promise<LoraResult> {
  try {
    return await teach(params, context);
  } catch (error) {
    if (!(error instanceof LoraError)) throw asJobError("lora", error);
    const { code, problem, remedy } = error;
    const isOption = code === "bad-option" || code === "loss-not-finite";
    throw new JobError(isOption ? "bad-params" : "bad-input", `lora, ${problem}`, remedy, { cause: error });
  }
}

async function teach(params: LoraParams, context: JobContext): Promise<LoraResult> {
  const { seed, variants, prompts, backend, threads, ...tuning } = params;
  const { model, patterns: names } = await unpackInputs(context);
  const dataset = makeDataset(await loadPatterns(names), { seed, variants });
  const out = join(context.scratch, "adapter");
  const compute = async (shards: number) => await openBackend({ name: backend, shards, threads });
  const nowMs = () => performance.now();
  const ask = async (label: string, adapter: string | undefined): Promise<EvaluationResult> =>
    await evaluateModel({
      ...{ label, model, adapter, examples: dataset.test.slice(0, prompts), nowMs, signal: context.signal },
      backend: await compute(1),
      onAnswer: (done, of) => context.progress({ note: `${label}: ${done} of ${of} prompts` }),
    });
  const before = await ask("base", undefined);
  const training = await trainAdapter({
    ...{ model, dataset, out, tuning: { ...tuning, seed }, nowMs, signal: context.signal },
    openBackend: compute,
    isResumed: await restoreCheckpoint(context, out),
    onStep: (step, of, loss) =>
      context.progress({ fraction: step / of, note: `step ${step}, loss ${loss.toFixed(3)}` }),
    onEvaluation: (step, loss) => context.log(`step ${step}: validation loss ${loss.toFixed(4)} nats`),
    onCheckpoint: async (path) => await context.checkpoint(createReadStream(path)),
  });
  context.signal.throwIfAborted();
  const after = await ask("tuned", out);
  const comparison = compareResults(before.evaluation.answers, after.evaluation.answers, seed);
  await replaceFile(join(out, REPORT), [comparisonReport(before, after, comparison)]);
  for (const name of [ADAPTER_FILE, ADAPTER_CONFIG_FILE, TRAINING_FILE, REPORT]) {
    await context.writeFile(name, join(out, name));
  }
  const [first, last] = [training.validationLoss[0], training.validationLoss.at(-1)];
  if (first === undefined || last === undefined) throw new InvariantError("lora: a training that was never judged");
  const { overall } = comparison;
  return {
    ...{ before: overall.before, after: overall.after, gainLow: overall.low, gainHigh: overall.high },
    ...{ steps: training.steps, seconds: training.seconds, trainableShare: training.trainableShare },
    ...{ validationLossBefore: first.loss, validationLossAfter: last.loss },
  };
}

/** The model's files in a folder of their own, and where patterns are. */
async function unpackInputs(context: JobContext): Promise<{ model: string; patterns: string[] }> {
  const model = join(context.scratch, "model");
  await mkdir(model, { recursive: true });
  const patterns: string[] = [];
  for (const input of context.inputs) {
    const name = basename(input.name);
    const isPattern = PATTERN_FILE.test(name);
    const path = isPattern ? join(context.scratch, name) : join(model, name);
    await copyFile(await context.file(input), path);
    if (isPattern) patterns.push(path);
  }
  return { model, patterns };
}

/** @returns whether an attempt before left one */
async function restoreCheckpoint(context: JobContext, out: string): Promise<boolean> {
  const saved = context.resume();
  if (saved === undefined) return false;
  await mkdir(out, { recursive: true });
  await replaceFile(join(out, CHECKPOINT_FILE), saved);
  return true;
}
