import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InvariantError } from "../../invariant-error.ts";
import type { NamedBlob } from "../../jobs/job.ts";
import { JobError } from "../../jobs/job-error.ts";
import type { JobContext, Workload } from "../../jobs/workload.ts";
import { Checkpoint } from "./checkpoint.ts";
import { LanguageModelError } from "./language-model-error.ts";
import {
  type LanguageModelParams,
  type LanguageModelResult,
  paramsSchema,
  resultSchema,
} from "./language-model-job.ts";
import { openBackend } from "./open-backend.ts";
import { parseRunConfig } from "./parse-run-config.ts";
import { packRun, unpackRun } from "./run-archive.ts";
import { RUN_FILES } from "./run-folder.ts";
import type { RunSummary } from "./run-summary.ts";
import type { Tokenizer } from "./tokenizer.ts";
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
    throw asJobError(error);
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

/** What the attempt before left, put back into a folder. */
async function lastCheckpoint(context: JobContext, out: string): Promise<Checkpoint | undefined> {
  const saved = context.resume();
  if (saved === undefined) return undefined;
  const path = join(context.scratch, "saved");
  await writeFile(path, saved);
  return await Checkpoint.open(await unpackRun(out, path));
}

async function tokenizerOf(file: NamedBlob | undefined, context: JobContext): Promise<Tokenizer | undefined> {
  if (file === undefined) return undefined;
  const { HfTokenizer } = await import("./hf-tokenizer.ts");
  const text = await readFile(await context.file(file), "utf8");
  try {
    return new HfTokenizer(JSON.parse(text));
  } catch (cause) {
    if (cause instanceof LanguageModelError) throw cause;
    throw new LanguageModelError("bad-tokenizer", `${file.name} is no JSON`, "give a tokenizer.json", { cause });
  }
}

function resultOf({ parameters, vocabulary, steps, tokens, seconds, tokensPerSecond, final, best }: RunSummary) {
  if (final === null || best === null) throw new InvariantError("language-model: a run without an evaluation");
  const { trainLoss, valLoss, valBitsPerByte } = final;
  const judged = { trainLoss, valLoss, valBitsPerByte, bestStep: best.step, bestLoss: best.loss };
  return { parameters, vocabulary, steps, tokens, seconds, tokensPerSecond, ...judged };
}

/** What is wrong with a run, in the words of a job: another attempt would find the same, but for a full disk. */
function asJobError(error: unknown): unknown {
  if (!(error instanceof LanguageModelError)) return error;
  const { code, problem, remedy } = error;
  if (code === "no-room") return new JobError("disk-full", problem, remedy, { cause: error });
  const isOption = code === "bad-config" || code === "loss-not-finite";
  return new JobError(isOption ? "bad-params" : "bad-input", `language-model, ${problem}`, remedy, { cause: error });
}
