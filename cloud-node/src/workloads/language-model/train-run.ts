import { setImmediate } from "node:timers/promises";
import type { BackendName, RunProgress } from "./checkpoint.ts";
import { LanguageModelError } from "./language-model-error.ts";
import { MemoryWatch } from "./memory-watch.ts";
import type { MetricsRow } from "./metrics-row.ts";
import type { Model } from "./model.ts";
import type { ModelConfig } from "./model-config.ts";
import { OptimizerSteps } from "./optimizer-step.ts";
import type { RunConfig } from "./run-config.ts";
import { type Judgement, judge, type RunData } from "./run-data.ts";
import type { RunFolder } from "./run-folder.ts";

/** Weight of what was in the running mean of the loss: nanochat's. */
const KEEP = 0.9;
/** A step of a clock that stands still took at least so long. */
const LEAST_SECONDS = 1e-6;
/** Steps from one row of metrics to the next. */
const ROW_EVERY = 10;

/** What a run needs, and whom it tells. */
export interface TrainingRun {
  readonly config: RunConfig;
  readonly modelConfig: ModelConfig;
  readonly model: Model;
  readonly data: RunData;
  readonly backend: BackendName;
  /** SHA-256 of the text, hexadecimal. */
  readonly textDigest: string;
  readonly folder: RunFolder;
  /** Where it goes on; undefined: from the beginning. */
  readonly progress?: RunProgress | undefined;
  /** Aborted: keep a checkpoint and end. */
  readonly signal: AbortSignal;
  /** Monotonic, ms. */
  readonly nowMs: () => number;
  /** Of the process, resident. */
  readonly memoryBytes: () => number;
  readonly onStep?: (step: number, smoothedLoss: number, tokens: number) => void;
  /** It is judged at a step: by so many batches up to now, of so many. */
  readonly onJudging?: (step: number, done: number, of: number) => void;
  readonly onEvaluation?: (row: MetricsRow) => void;
  /** The newest checkpoint is on the disk. */
  readonly onCheckpoint?: (folder: RunFolder) => Promise<void>;
  readonly onWarning?: (line: string) => void;
}

/** How a run ended. */
export interface RunOutcome {
  readonly progress: RunProgress;
  /** Whether it was stopped before its last step. */
  readonly isStopped: boolean;
  readonly memoryGrowthBytes: number;
}

/**
 * Train to the last step of a run: at every evaluation, in front of it, a checkpoint; rows of metrics in between.
 *
 * What a run computes depends on its configuration and its text alone. It goes on from any checkpoint bit for bit, whether it
 * was stopped at an evaluation or between two.
 *
 * @throws {LanguageModelError} `loss-not-finite`: the newest checkpoint is then the last good one; `no-room`
 */
export async function trainRun(run: TrainingRun): Promise<RunOutcome> {
  const { config, model, data, signal } = run;
  const steps = new OptimizerSteps(config, run.modelConfig);
  const watch = new MemoryWatch();
  const state = run.progress === undefined ? freshProgress() : { ...run.progress };
  if (run.progress !== undefined) data.training.restore(state.batches);
  const begun = state.step;
  const stopped = (): RunOutcome => ({ progress: state, isStopped: true, memoryGrowthBytes: watch.growthBytes });
  for (;;) {
    const { step } = state;
    const isLast = step === config.steps;
    const isJudged = step % config.evalEvery === 0 || isLast;
    if (isJudged && !(await evaluate(run, state, watch))) return stopped();
    if (!isJudged && step % ROW_EVERY === 0) await run.folder.addRow(metricsRow(state));
    if (isLast) break;
    await setImmediate();
    if (signal.aborted) {
      if (!isJudged) await keep(run, state);
      return stopped();
    }
    const startedMs = run.nowMs();
    const outcome = await model.train(data.training.next(), steps.at(step));
    if (!Number.isFinite(outcome.loss) || !Number.isFinite(outcome.gradientNorm)) {
      // What was kept between two evaluations was not judged: that no step can be taken from it shows that it is no good.
      const isWorthless = step === begun && !isJudged;
      throw notFinite(run, step, outcome, isWorthless ? await run.folder.goBack() : true);
    }
    const seconds = (run.nowMs() - startedMs) / 1000;
    const tokens = config.data.rows * config.model.context;
    state.last = { ...outcome, tokensPerSecond: tokens / Math.max(seconds, LEAST_SECONDS) };
    state.step += 1;
    state.tokens += tokens;
    state.seconds += seconds;
    state.lossSum = KEEP * state.lossSum + (1 - KEEP) * outcome.loss;
    run.onStep?.(state.step, smoothedLoss(state) ?? Number.NaN, state.tokens);
  }
  await run.folder.finish();
  return { progress: state, isStopped: false, memoryGrowthBytes: watch.growthBytes };
}

function freshProgress(): RunProgress {
  return { step: 0, tokens: 0, seconds: 0, lossSum: 0, last: null, best: null, batches: null };
}

async function keep(run: TrainingRun, state: RunProgress): Promise<void> {
  const { folder, model, config, data } = run;
  state.batches = data.training.state();
  const { backend, textDigest } = run;
  await folder.keep(model, { config, backend, tokenizer: data.tokenizer, textDigest, progress: state });
  await run.onCheckpoint?.(folder);
}

/** Keep what there is, and judge it. @returns false where it was stopped meanwhile */
async function evaluate(run: TrainingRun, state: RunProgress, watch: MemoryWatch): Promise<boolean> {
  const { config, data, model, folder } = run;
  await keep(run, state);
  const batches = config.evalBatches;
  let asked = 0;
  const goesOn = async (): Promise<boolean> => {
    run.onJudging?.(state.step, asked, 2 * batches);
    asked += 1;
    await setImmediate();
    return !run.signal.aborted;
  };
  const judged = (part: "train" | "val"): Promise<Judgement | undefined> =>
    judge(data.evaluation(part, state.step), batches, data.tokenizer, (batch) => model.loss(batch), goesOn);
  const train = await judged("train");
  const val = train === undefined ? undefined : await judged("val");
  if (train === undefined || val === undefined) return false;
  if (!Number.isFinite(train.loss) || !Number.isFinite(val.loss)) {
    throw notFinite(run, state.step, { loss: Number.NaN }, await folder.goBack());
  }
  if (state.best === null || val.loss < state.best.loss) {
    state.best = { step: state.step, ...val };
    await folder.markBest();
  }
  watch.add(run.memoryBytes());
  const row: MetricsRow = {
    ...metricsRow(state),
    ...{ trainLoss: train.loss, valLoss: val.loss },
    ...{ trainBitsPerByte: train.bitsPerByte, valBitsPerByte: val.bitsPerByte },
    memoryBytes: run.memoryBytes(),
  };
  await folder.addRow(row);
  run.onEvaluation?.(row);
  if (watch.isDrifting) run.onWarning?.(`memory grew by ${watch.growthBytes} bytes since the second evaluation`);
  return true;
}

function metricsRow(state: RunProgress): MetricsRow {
  const { step, tokens, seconds, last } = state;
  return {
    ...{ step, tokens, seconds, loss: last?.loss ?? null, smoothedLoss: smoothedLoss(state) ?? null },
    ...{ gradientNorm: last?.gradientNorm ?? null, tokensPerSecond: last?.tokensPerSecond ?? null },
    ...{ trainLoss: null, valLoss: null, trainBitsPerByte: null, valBitsPerByte: null, memoryBytes: null },
  };
}

/** The running mean as if it had not begun at 0. */
function smoothedLoss({ step, lossSum }: RunProgress): number | undefined {
  return step === 0 ? undefined : lossSum / (1 - KEEP ** step);
}

function notFinite({ folder }: TrainingRun, step: number, outcome: { loss: number }, hasCheckpoint: boolean) {
  const what = Number.isFinite(outcome.loss) ? "the gradient" : "the loss";
  const kept = hasCheckpoint ? `${folder.path} has the last good checkpoint; ` : "";
  const remedy = `${kept}train again with a lower --set optimizer.learningRate`;
  return new LanguageModelError("loss-not-finite", `step ${step}: ${what} is no finite number`, remedy);
}
