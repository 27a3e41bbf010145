import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { InvariantError } from "../../invariant-error.ts";
import { JobError } from "../../jobs/job-error.ts";
import type { JobContext, Workload } from "../../jobs/workload.ts";
import { parseRunConfig } from "../language-model/parse-run-config.ts";
import type { RunConfig } from "../language-model/run-config.ts";
import { RUN_FILES } from "../language-model/run-folder.ts";
import { asJobError, lastCheckpoint, tokenizerOf } from "../language-model/run-inputs.ts";
import { readTrainingText } from "../language-model/training-text.ts";
import { GradientError, type GradientErrorCode } from "./gradient-error.ts";
import { type GradientParams, type GradientResult, paramsSchema, resultSchema } from "./gradient-job.ts";
import { type Trained, trainFirst, trainOther, type WorkerRun } from "./train-worker.ts";

/** What a run has beside the files of one that is trained alone. */
export const EXCHANGE_FILES = ["exchange.json", "exchange.csv"] as const;

/**
 * `gradient`: one language model, trained by several workers that send each other what they learned.
 *
 * Inputs: a text in UTF-8 and, where `data.tokenizer` is `hf`, a `tokenizer.json`. Outputs: the run's files, as `lockstep lm
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
  const { recipe, config: file, set, workers, compress, patience } = params;
  const config = shared(parseRunConfig({ recipe, file, settings: set }), workers);
  const [input, tokenizerFile] = context.inputs;
  if (input === undefined) throw new JobError("bad-job", "gradient, inputs: there are none", "give a text in UTF-8");
  const text = await readTrainingText(await context.file(input), input.name);
  const tokenizer = await tokenizerOf(tokenizerFile, context);
  const waited = async (ms: number, signal: AbortSignal) => {
    await wait(ms, undefined, { signal, ref: false }).catch(() => undefined);
  };
  return { config, text, tokenizer, workers, compress, patienceMs: 1000 * patience, wait: waited };
}

/** A run whose batches are cut for so many workers. */
function shared(config: RunConfig, workers: number): RunConfig {
  if (config.engine !== "tensor") {
    throw new GradientError("bad-option", `engine: ${config.engine}`, "several workers train with engine=tensor");
  }
  const { rows } = config.data;
  if (rows % workers !== 0) {
    const problem = `${rows} rows of a batch for ${workers} workers`;
    throw new GradientError("bad-option", problem, "take data.rows that is a multiple of the workers");
  }
  return { ...config, data: { ...config.data, shards: workers } };
}

async function first(worker: WorkerRun, context: JobContext): Promise<GradientResult> {
  const out = join(context.scratch, "run");
  const checkpoint = await lastCheckpoint(context, out);
  try {
    const trained = await trainFirst(worker, context, out, checkpoint);
    context.signal.throwIfAborted();
    await writeFile(join(out, "exchange.json"), `${JSON.stringify(trained.exchange, undefined, 2)}\n`);
    await writeFile(join(out, "exchange.csv"), trained.bytesCsv);
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
