import { mkdir, readFile, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import * as v from "valibot";
import { formatCount, formatQuantity } from "../../api/number-text.ts";
import type { JobAnswer } from "../../api/schemas/job-schema.ts";
import { unlessAbsent } from "../../jobs/disk-call.ts";
import { isOver, type JsonObject } from "../../jobs/job.ts";
import type { JobQueue } from "../../jobs/job-queue.ts";
import { WORKER_DEFAULTS } from "../../jobs/worker-defaults.ts";
import { EXCHANGE_FILES } from "../../workloads/gradient/exchange-files.ts";
import { type ExchangeSummary, resultSchema } from "../../workloads/gradient/gradient-job.ts";
import { parseMask } from "../../workloads/gradient/mask-file.ts";
import { RUN_FILES } from "../../workloads/language-model/run-folder.ts";
import { CommandError } from "../command-error.ts";
import type { GradientTrainOptions } from "../gradient.ts";
import { fetchOutputs } from "../jobs/fetch-outputs.ts";
import { openDoor } from "../jobs/open-door.ts";
import { plainText } from "../jobs/plain-text.ts";
import { QueueDoor } from "../jobs/queue-door.ts";
import { type JobOrder, submitJob } from "../jobs/submit-job.ts";
import { readRunConfig, readText, readTokenizer } from "../lm/read-run-options.ts";
import { checkUnchanged } from "../lm/unchanged-run.ts";
import { createLogger } from "../log.ts";
import { checkFiles } from "../partial-file.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { inputsOf } from "./named-inputs.ts";
import { stoppedRun } from "./stopped-run.ts";
import { TRAIN_DEFAULTS } from "./train-defaults.ts";
import { watchTraining } from "./watch-training.ts";

/** The queue of a run on this machine alone, in its folder; gone when the run is done. */
const OWN_QUEUE = "workers.jobs";
const OWN_FILES = [OWN_QUEUE, `${OWN_QUEUE}-wal`, `${OWN_QUEUE}-shm`, "workers.blobs"];

/** `lockstep gradient train`. */
export async function runTrain(surroundings: Surroundings, text: string, options: GradientTrainOptions): Promise<void> {
  const { queue, out, json } = options;
  const { compress = TRAIN_DEFAULTS.compress } = options;
  if (options.mask !== undefined && compress === "none" && options.resume !== true) {
    throw new CommandError("usage", "--mask with --compress none", "choose a method that compresses");
  }
  const isOwn = queue === undefined;
  if (isOwn && (options.tokenFile ?? options.ca) !== undefined) {
    throw new CommandError("usage", "--token-file and --ca are for a queue", "name it with --queue");
  }
  const job = isOwn ? await trainHere(surroundings, text, options) : await trainThere(surroundings, text, options);
  const read = v.safeParse(resultSchema, job.result?.value);
  if (!read.success || read.output.kind !== "trained") throw failed(job);
  await writeResult(surroundings, json, { run: out, ...read.output }, resultText(out, read.output));
}

/** All workers in this process, on a queue of their own. */
async function trainHere(surroundings: Surroundings, text: string, options: GradientTrainOptions): Promise<JobAnswer> {
  const { clock } = surroundings;
  const { out, resume, force } = options;
  // What cannot be trained from takes nothing of a run that was to be written over.
  const order = resume === true ? undefined : await orderOf(text, options);
  await prepareFolder(options);
  const { openQueue } = await import("../../jobs/open-queue.ts");
  const { startWorker } = await import("../jobs/start-worker.ts");
  const open = await openQueue(`sqlite:${join(out, OWN_QUEUE)}`, clock, { leaseMs: WORKER_DEFAULTS.leaseMs });
  const door = new QueueDoor(open, clock);
  let isFetched = false;
  try {
    const { id, workers } =
      order === undefined
        ? await goOn(open.queue, out, text)
        : { id: (await submitJob(surroundings, door, order)).id, workers: workersOf(order) };
    const { leaseMs, channelHost } = WORKER_DEFAULTS;
    const { memory: memoryMb = WORKER_DEFAULTS.memoryMb } = options;
    const around = { queue: open.queue, blobs: open.blobs, clock, logger: createLogger("error") };
    const choice = { name: undefined, workloads: ["gradient"], workloadsFrom: undefined, scratch: undefined };
    const worker = await startWorker({ ...around, ...choice, threads: workers, leaseMs, memoryMb, channelHost });
    let job: JobAnswer;
    try {
      job = await watchTraining(surroundings, door, id);
    } finally {
      await worker.stop();
    }
    if (!isOver(job.state)) {
      const problem = `stopped at ${job.progress?.note ?? "the beginning"}`;
      throw new CommandError("interrupted", problem, `${out} keeps a checkpoint: go on with --resume`);
    }
    if (job.result === null) throw failed(job, `mend that, and go on with ${out} by --resume`);
    await fetchOutputs(surroundings, door, job, { folder: out, isForced: force === true || resume === true });
    isFetched = true;
    return job;
  } finally {
    await door.close();
    if (isFetched) await removeFiles(out, OWN_FILES);
  }
}

/** The workers are wherever somebody started them. */
async function trainThere(surroundings: Surroundings, text: string, options: GradientTrainOptions): Promise<JobAnswer> {
  const { queue = "", tokenFile, ca, out, force } = options;
  const access = { ...(tokenFile === undefined ? {} : { tokenFile }), ...(ca === undefined ? {} : { ca }) };
  const order = await orderOf(text, options);
  // Hours later its files would be refused.
  await checkIsNew(options);
  const door = await openDoor(surroundings, { queue, ...access }, "make");
  try {
    const { id } = await submitJob(surroundings, door, order);
    const job = await watchTraining(surroundings, door, id);
    if (!isOver(job.state)) {
      const remedy = "it goes on; the same command waits for it again";
      throw new CommandError("interrupted", `stopped while job ${id.slice(0, 12)} went on`, remedy);
    }
    if (job.result === null) throw failed(job);
    await fetchOutputs(surroundings, door, job, { folder: out, isForced: force === true });
    return job;
  } finally {
    await door.close();
  }
}

/** The run as a job, once all that it is made of was looked at. @throws {CommandError}, {LanguageModelError} */
async function orderOf(text: string, options: GradientTrainOptions): Promise<JobOrder> {
  const { workers, compress, patience } = { ...TRAIN_DEFAULTS, ...options };
  const { tokenizer, mask } = options;
  const config = await readRunConfig(options);
  await readText(text);
  await readTokenizer(tokenizer);
  if (config.data.rows % workers !== 0) {
    const problem = `--workers ${workers}: a batch has ${config.data.rows} rows`;
    throw new CommandError("usage", problem, "give --set data.rows=N, a multiple of the workers");
  }
  if (mask !== undefined) await checkMask(mask);
  const inputs = inputsOf([text, tokenizer, mask].filter((path) => path !== undefined));
  const named = mask === undefined ? {} : { mask: inputs.at(-1)?.name ?? basename(mask) };
  const params: JsonObject = { config: JSON.parse(JSON.stringify(config)), workers, compress, patience, ...named };
  return { workload: "gradient", params, salt: "", inputs, maxAttempts: undefined };
}

/** @throws {CommandError} `file`; {GradientError} `bad-mask` */
async function checkMask(mask: string): Promise<void> {
  await checkFiles(mask, undefined);
  parseMask(await readFile(mask, "utf8"));
}

function workersOf({ params }: Pick<JobOrder, "params">): number {
  return v.parse(v.object({ workers: v.number() }), params).workers;
}

/**
 * @throws {CommandError} `refused` when there is a run in the folder that nobody wants to lose, or none to go on with;
 *   `usage` for what would make a run that goes on another one
 */
async function prepareFolder(options: GradientTrainOptions): Promise<void> {
  const { out, resume } = options;
  if (resume === true) {
    const { recipe, config, set, steps, seed, tokenizer, workers, compress, patience, mask, force } = options;
    const training = { recipe, config, steps, seed, tokenizer };
    checkUnchanged(out, { ...training, workers, compress, patience, mask, force, set: set[0] });
    if (await isThere(join(out, OWN_QUEUE))) return;
    throw new CommandError("refused", `no run was stopped in ${out}`, "leave --resume out to begin one");
  }
  await checkIsNew(options);
  await mkdir(out, { recursive: true });
  // Of a run that is written over nothing may be taken for the new one's.
  await removeFiles(out, [...OWN_FILES, ...RUN_FILES, ...EXCHANGE_FILES]);
}

/** @throws {CommandError} `refused` when there is a run in the folder that nobody wants to lose */
async function checkIsNew({ out, force }: GradientTrainOptions): Promise<void> {
  if (force === true) return;
  for (const name of [OWN_QUEUE, "config.json"]) {
    if (!(await isThere(join(out, name)))) continue;
    const remedy = "go on with it by --resume, write over it by --force, or name another folder";
    throw new CommandError("refused", `there is a run in ${out}`, remedy);
  }
}

async function removeFiles(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(folder, name), { recursive: true, force: true });
}

async function goOn(
  queue: JobQueue,
  out: string,
  text: string,
): Promise<{ readonly id: string; readonly workers: number }> {
  const job = await stoppedRun(queue, out, await readText(text));
  return { id: job.id, workers: workersOf(job) };
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(unlessAbsent)) !== undefined;
}

function failed({ id, state, error }: JobAnswer, remedy = `its job was ${id.slice(0, 12)}`): CommandError {
  const why = error === null ? "" : `: ${plainText(error.message)}`;
  return new CommandError("refused", `the run is ${state}${why}`, remedy);
}

function resultText(out: string, trained: { readonly valLoss: number; readonly exchange: ExchangeSummary }): string {
  const { exchange, valLoss } = trained;
  const { workers, compress, parameters, rounds, missing, uplinkWire, downlinkWire, ratio } = exchange;
  return [
    `${out}: ${formatCount(parameters)} parameters on ${workers} workers, ${compress}, loss ${valLoss.toFixed(4)} nats`,
    `  a worker sent ${formatQuantity(uplinkWire, "B", "up")} a step, 1/${ratio.toFixed(1)} of float32, and got ${formatQuantity(downlinkWire, "B", "up")}`,
    `  ${exchange.stepsPerSecond.toFixed(2)} steps/s; ${formatCount(missing)} contributions of ${formatCount(rounds * workers)} came too late`,
    `  lockstep lm sample ${out}`,
  ].join("\n");
}
