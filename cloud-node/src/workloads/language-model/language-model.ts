import { join } from "node:path";
import { InvariantError } from "../../invariant-error.ts";
import { JobError } from "../../jobs/job-error.ts";
import type { JobContext, Workload } from "../../jobs/workload.ts";
import {
  type LanguageModelParams,
  type LanguageModelResult,
  paramsSchema,
  resultSchema,
} from "./language-model-job.ts";
import { openBackend } from "./open-backend.ts";
import { parseRunConfig } from "./parse-run-config.ts";
import { packRun } from "./run-archive.ts";
import { RUN_FILES } from "./run-folder.ts";
import { asJobError, lastCheckpoint, tokenizerOf } from "./run-inputs.ts";
import type { RunSummary } from "./run-summary.ts";
import { trainModel } from "./train-model.ts";
import { readTrainingText } from "./training-text.ts";

/**
 * `language-model`: a small language model trained from a text.
 *
 * Inputs: a text in UTF-8 and, where `data.tokenizer` is `hf`, a `tokenizer.json`. Outputs: the run's files, as `lockstep lm
 * train` leaves them. Another attempt goes on from the newest checkpoint.
 */
export const languageModel: Workload<LanguageModelParams, LanguageModelResult> = {
  name: "language-model",
  summary: "train a small language model from a text",
  params: paramsSchema,
  result: resultSchema,
  run,
};

async function run(params: LanguageModelParams, context: JobContext): Promise<LanguageModelResult> {
  try {
    const summary = await train(params, context);
    context.signal.throwIfAborted();
    for (const name of RUN_FILES) await context.writeFile(name, join(context.scratch, "run", name));
    return resultOf(summary);
  } catch (error) {
    throw asJobError("language-model", error);
  }
}

async function train(
  { recipe, config: file, set, backend, threads }: LanguageModelParams,
  context: JobContext,
): Promise<RunSummary> {
  const [input, tokenizerFile] = context.inputs;
  const settings = tokenizerFile === undefined ? set : [...set, "data.tokenizer=hf"];
  const config = parseRunConfig({ recipe, file, settings });
  if (input === undefined) {
    throw new JobError("bad-job", "language-model, inputs: there are none", "give a text in UTF-8");
  }
  const text = await readTrainingText(await context.file(input), input.name);
  const out = join(context.scratch, "run");
  const checkpoint = await lastCheckpoint(context, out);
  const { steps } = config;
  const told = (step: number, loss: number) =>
    context.progress({ fraction: step / steps, note: `step ${step}, loss ${loss.toFixed(3)}` });
  try {
    return await trainModel({
      ...{ config, text, out, isReplaced: false, checkpoint },
      tokenizer: await tokenizerOf(tokenizerFile, context),
      openBackend: (shards) => openBackend({ name: backend, shards, threads }),
      signal: context.signal,
      nowMs: () => performance.now(),
      memoryBytes: () => process.memoryUsage.rss(),
      onStep: told,
      onJudging: (step, done, of) =>
        context.progress({ fraction: step / steps, note: `step ${step}, judged by ${done} of ${of} batches` }),
      onEvaluation: ({ step, smoothedLoss, valLoss }) => {
        told(step, smoothedLoss ?? valLoss ?? Number.NaN);
        context.log(`step ${step}: validation loss ${valLoss?.toFixed(4)} nats`);
      },
      onWarning: (line) => context.log(line),
      onCheckpoint: async (folder) => await context.checkpoint(packRun(folder.path)),
    });
  } finally {
    await checkpoint?.close();
  }
}

function resultOf({ parameters, vocabulary, steps, tokens, seconds, tokensPerSecond, final, best }: RunSummary) {
  if (final === null || best === null) throw new InvariantError("language-model: a run without an evaluation");
  const { trainLoss, valLoss, valBitsPerByte } = final;
  const judged = { trainLoss, valLoss, valBitsPerByte, bestStep: best.step, bestLoss: best.loss };
  return { parameters, vocabulary, steps, tokens, seconds, tokensPerSecond, ...judged };
}
