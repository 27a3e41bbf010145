import type { JobChannel, JobContext } from "../../jobs/workload.ts";
import type { Checkpoint } from "../language-model/checkpoint.ts";
import { type ModelConfig, settleModel } from "../language-model/model-config.ts";
import { openBackend } from "../language-model/open-backend.ts";
import { parameterSpecs } from "../language-model/parameters.ts";
import { packRun } from "../language-model/run-archive.ts";
import type { RunConfig } from "../language-model/run-config.ts";
import { prepareData } from "../language-model/run-data.ts";
import type { RunSummary } from "../language-model/run-summary.ts";
import type { Tokenizer } from "../language-model/tokenizer.ts";
import { trainModel } from "../language-model/train-model.ts";
import type { TrainingText } from "../language-model/training-text.ts";
import { Coordinator } from "./coordinator.ts";
import { ExchangeAccount } from "./exchange-account.ts";
import { ExchangeLink } from "./exchange-link.ts";
import { ExchangedModel } from "./exchanged-model.ts";
import { Follower } from "./follower.ts";
import type { ExchangeSummary } from "./gradient-job.ts";
import { type MaskFile, maskFor } from "./mask-file.ts";
import { createMethod, type Preset } from "./method.ts";
import { openReplica, type ReplicaRequest } from "./open-replica.ts";

/** After a worker was asked to end, a step that was begun may still become whole. */
const END_MS = 3_000;
const LIMITS = {
  /** The first step waits so long for workers to read the text and make their models. */
  startMs: 120_000,
  /** Rounds that wait for a worker which does not take them. */
  mostWaitingBytes: 32 << 20,
} as const;
/** What was sent last has so long to leave. */
const FLUSH_MS = 10_000;
/** By a worker alone. */
const NOTHING_SENT = { up: 0, down: 0 } as const;

/** One worker's part of a training. */
export interface WorkerRun {
  readonly config: RunConfig;
  readonly text: TrainingText;
  readonly tokenizer: Tokenizer | undefined;
  readonly workers: number;
  readonly compress: Preset;
  readonly mask: MaskFile | undefined;
  readonly patienceMs: number;
  /** Resolves after so long; sooner when the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What place 0 came to. */
export interface Trained {
  readonly summary: RunSummary;
  readonly exchange: ExchangeSummary;
  /** Bytes by step, CSV. */
  readonly bytesCsv: string;
}

/** Train at place 0: its folder gets the run's files. */
export async function trainFirst(
  run: WorkerRun,
  context: JobContext,
  out: string,
  checkpoint: Checkpoint | undefined,
): Promise<Trained> {
  const { config, text, tokenizer, workers, compress } = run;
  const { steps } = config;
  const account = new ExchangeAccount(workers);
  const link =
    context.channel === undefined ? undefined : new ExchangeLink(context.channel, later(run, context.signal));
  const coordinator = link && new Coordinator(link, { ...run, ...LIMITS, onEvent: (line) => context.log(line) });
  const summary = await trainModel({
    ...{ config, text, out, isReplaced: false, checkpoint, tokenizer },
    openBackend: (shards) => openBackend({ name: "wasm-strict", shards, threads: 1 }),
    openModel: async (modelConfig) => {
      const { model, replica } = await openOwn(run, modelConfig, 0);
      const onRound = (step: number, round: Parameters<ExchangeAccount["add"]>[1]) =>
        account.add(step, round, coordinator?.wire ?? NOTHING_SENT);
      return {
        model: new ExchangedModel(model, replica, parameterSpecs(modelConfig), coordinator, onRound),
        backend: "wasm-strict",
      };
    },
    signal: context.signal,
    nowMs: () => performance.now(),
    memoryBytes: () => process.memoryUsage.rss(),
    onStep: (step, loss) =>
      context.progress({
        fraction: step / steps,
        note: `step ${step}, loss ${loss.toFixed(3)}`,
        metrics: { step, loss },
      }),
    onEvaluation: ({ step, valLoss }) => context.log(`step ${step}: validation loss ${valLoss?.toFixed(4)} nats`),
    onWarning: (line) => context.log(line),
    onCheckpoint: async (folder) => await context.checkpoint(packRun(folder.path)),
  });
  await coordinator?.flush(FLUSH_MS);
  account.settle(coordinator?.wire ?? NOTHING_SENT);
  const made = { steps: summary.steps - (checkpoint?.progress.step ?? 0), seconds: madeSeconds(summary, checkpoint) };
  const exchange = account.summary({ compress, parameters: summary.parameters, ...made });
  return { summary, exchange, bytesCsv: account.csv() };
}

function madeSeconds({ seconds }: RunSummary, checkpoint: Checkpoint | undefined): number {
  return seconds - (checkpoint?.progress.seconds ?? 0);
}

/** Train at any other place, until place 0 is done. @returns rounds, and those that its contribution was not in */
export async function trainOther(
  run: WorkerRun,
  { signal }: JobContext,
  channel: JobChannel,
): Promise<{ readonly rank: number; readonly rounds: number; readonly missing: number }> {
  const { config, text } = run;
  const rank = channel.index;
  const data = prepareData(config, text.text, run.tokenizer);
  const { model, replica } = await openOwn(run, settleModel(config.model, data.tokenizer.vocabulary), rank);
  let rounds = 0;
  let missing = 0;
  try {
    const follower = new Follower(new ExchangeLink(channel, later(run, signal)), {
      ...{ replica, batches: data.training, steps: config.steps },
      onRound: async (_step, isIn) => {
        rounds += 1;
        missing += isIn ? 0 : 1;
      },
    });
    await follower.run();
    return { rank, rounds, missing };
  } finally {
    model.close();
  }
}

async function openOwn(run: WorkerRun, modelConfig: ModelConfig, rank: number) {
  const { config, workers, compress, mask } = run;
  const createOwn: ReplicaRequest["createMethod"] = (layout, options) =>
    createMethod(compress, layout, { ...options, mask: mask && maskFor(mask, layout) });
  return await openReplica({ config, modelConfig, workers, rank, createMethod: createOwn });
}

/** Aborted some time after another signal. */
function later({ wait }: WorkerRun, signal: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const end = () => void wait(END_MS, controller.signal).then(() => controller.abort(signal.reason));
  if (signal.aborted) end();
  else signal.addEventListener("abort", end, { once: true });
  return controller.signal;
}
