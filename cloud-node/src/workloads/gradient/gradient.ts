import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InvariantError } from "../../invariant-error.ts";
import { JobError } from "../../jobs/job-error.ts";
import type { JobContext, Workload } from "../../jobs/workload.ts";
import { parseRunConfig } from "../language-model/parse-run-config.ts";
import { RUN_FILES } from "../language-model/run-folder.ts";
import { asJobError, lastCheckpoint, tokenizerOf } from "../language-model/run-inputs.ts";
import { readTrainingText } from "../language-model/training-text.ts";
import { EXCHANGE_FILES } from "./exchange-files.ts";
import { GradientError } from "./gradient-error.ts";
import { type GradientParams, type GradientResult, paramsSchema, resultSchema } from "./gradient-job.ts";
import { type MaskFile, MOST_MASK_BYTES, parseMask } from "./mask-file.ts";
import { sharedConfig } from "./shared-config.ts";
import { type Trained, trainFirst, trainOther, type WorkerRun } from "./train-worker.ts";

/**
 * `gradient`: one language model, trained by several workers that send each other what they learned.
 *
 * Inputs: a text in UTF-8 and, where `data.tokenizer` is `hf`, a `tokenizer.json`; a mask where `mask` names it. Outputs: the run's files, as `lockstep lm
 * train` leaves them, and what was sent. A place that is left is offered again, and whoever takes it goes on with the
 * others; another attempt at the whole goes on from the newest checkpoint.
 */
export const gradient: Workload<GradientParams, GradientResult> = {
  name: "gradient",
  summary: "train one language model on several workers, over thin wires",
  params: paramsSchema,
  result: resultSchema,
  workers: ({ workers }) => workers,
  refillsPlaces: true,
  run,
};

async function run(params: GradientParams, context: JobContext): Promise<GradientResult> {
  try {
    const { channel } = context;
    const worker = await workerRun(params, context);
    if (channel === undefined || channel.index === 0) return await first(worker, context);
    return { kind: "followed", ...(await trainOther(worker, context, channel)) };
  } catch (error) {
    if (!(error instanceof GradientError)) throw asJobError("gradient", error);
    const code = error.code === "bad-option" || error.code === "bad-mask" ? "bad-params" : "failed";
    throw new JobError(code, `gradient, ${error.problem}`, error.remedy, { cause: error });
  }
}

async function workerRun(params: GradientParams, context: JobContext): Promise<WorkerRun> {
  const { recipe, config: file, set, workers, compress, patience, mask: maskName } = params;
  const config = sharedConfig(parseRunConfig({ recipe, file, settings: set }), workers);
  const mask = maskName === undefined ? undefined : await maskNamed(maskName, context);
  const [input, tokenizerFile] = context.inputs.filter(({ name }) => name !== maskName);
  if (input === undefined) throw new JobError("bad-job", "gradient, inputs: there are none", "give a text in UTF-8");
  const text = await readTrainingText(await context.file(input), input.name);
  const tokenizer = await tokenizerOf(tokenizerFile, context);
  return { config, text, tokenizer, workers, compress, mask, patienceMs: 1000 * patience };
}

async function maskNamed(name: string, context: JobContext): Promise<MaskFile> {
  const input = context.inputs.find((one) => one.name === name);
  const remedy = "give the mask as an input";
  if (input === undefined) throw new JobError("bad-job", `gradient, mask: there is no input ${name}`, remedy);
  if (input.bytes > MOST_MASK_BYTES) throw new JobError("bad-input", `gradient, ${name}: ${input.bytes} bytes`, remedy);
  return parseMask(await readFile(await context.file(input), "utf8"));
}

async function first(worker: WorkerRun, context: JobContext): Promise<GradientResult> {
  const out = join(context.scratch, "run");
  const checkpoint = await lastCheckpoint(context, out);
  try {
    const trained = await trainFirst(worker, context, out, checkpoint);
    context.signal.throwIfAborted();
    const [json, csv] = EXCHANGE_FILES;
    await writeFile(join(out, json), `${JSON.stringify(trained.exchange, undefined, 2)}\n`);
    await writeFile(join(out, csv), trained.bytesCsv);
    for (const name of [...RUN_FILES, ...EXCHANGE_FILES]) await context.writeFile(name, join(out, name));
    return resultOf(trained);
  } finally {
    await checkpoint?.close();
  }
}

function resultOf({ summary, exchange }: Trained): GradientResult {
  const { parameters, vocabulary, steps, tokens, seconds, final, best } = summary;
  if (final === null || best === null) throw new InvariantError("gradient: a run without an evaluation");
  const { trainLoss, valLoss, valBitsPerByte } = final;
  const judged = { trainLoss, valLoss, valBitsPerByte, bestStep: best.step, bestLoss: best.loss };
  return { kind: "trained", parameters, vocabulary, steps, tokens, seconds, ...judged, exchange };
}
