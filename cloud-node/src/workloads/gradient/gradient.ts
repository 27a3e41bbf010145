import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { InvariantError } from "../../invariant-error.ts";
import { JobError } from "../../jobs/job-error.ts";
import type { JobContext, Workload } from "../../jobs/workload.ts";
import { parseRunConfig } from "../language-model/parse-run-config.ts";
import { RUN_FILES } from "../language-model/run-folder.ts";
import { asJobError, lastCheckpoint, tokenizerOf } from "../language-model/run-inputs.ts";
import { readTrainingText } from "../language-model/training-text.ts";
import { EXCHANGE_FILES } from "./exchange-files.ts";
import { GradientError, type GradientErrorCode } from "./gradient-error.ts";
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
    throw failureOf(error);
  }
}

/** What another attempt would meet again: a run computes the same whenever it is made. */
const FINAL: ReadonlySet<GradientErrorCode> = new Set([
  "bad-option",
  "bad-mask",
  "bad-control",
  "not-finite",
  "too-large",
]);
const BUGS = [TypeError, ReferenceError, InvariantError, WebAssembly.RuntimeError];

/** What went wrong, in the words of a job. What another worker sent may be readable with other workers. */
function failureOf(error: unknown): unknown {
  if (error instanceof GradientError) {
    const code = FINAL.has(error.code) ? "bad-params" : "failed";
    return new JobError(code, `gradient, ${error.problem}`, error.remedy, { cause: error });
  }
  const bug = BUGS.find((kind) => error instanceof kind);
  if (bug === undefined) return asJobError("gradient", error);
  const problem = `gradient, ${String(error)}`;
  return new JobError("bad-result", problem, "tell us: another attempt would end the same", { cause: error });
}

async function workerRun(params: GradientParams, context: JobContext): Promise<WorkerRun> {
  const { recipe, config: file, set, workers, compress, patience, mask: maskName } = params;
  const config = sharedConfig(parseRunConfig({ recipe, file, settings: set }), workers);
  const mask = maskName === undefined ? undefined : await maskNamed(maskName, context);
  const [input, tokenizerFile] = context.inputs.filter(({ name }) => name !== maskName);
  if (input === undefined) throw new JobError("bad-job", "gradient, inputs: there are none", "give a text in UTF-8");
  const text = await readTrainingText(await context.file(input), input.name);
  const tokenizer = await tokenizerOf(tokenizerFile, context);
  const waited = async (ms: number, signal: AbortSignal) => {
    await wait(ms, undefined, { signal, ref: false }).catch(() => undefined);
  };
  return { config, text, tokenizer, workers, compress, mask, patienceMs: 1000 * patience, wait: waited };
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
