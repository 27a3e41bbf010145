import { formatCount } from "../../api/number-text.ts";
import { readDataset } from "../../workloads/lora/dataset-files.ts";
import type { Dataset } from "../../workloads/lora/make-dataset.ts";
import { type TrainingSummary, trainAdapter } from "../../workloads/lora/train-adapter.ts";
import { CommandError } from "../command-error.ts";
import type { ComputeOptions, TrainAdapterOptions, TuningOptions } from "../lora.ts";
import { ProgressLine } from "../progress-line.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { computeOf } from "./open-compute.ts";

/** `lockstep lora train`. */
export async function runTrain(surroundings: Surroundings, model: string, options: TrainAdapterOptions): Promise<void> {
  const { data, out, json } = options;
  const summary = await trainHere(surroundings, { ...options, model, dataset: await readDataset(data) });
  await writeResult(surroundings, json, { adapter: out, ...summary }, trainingText(out, summary));
}

/** What is trained, on what, and how. */
export interface TrainingHere extends ComputeOptions, TuningOptions {
  readonly model: string;
  readonly dataset: Dataset;
  readonly out: string;
  readonly seed: number;
  readonly resume?: boolean;
}

/** Train with a line of progress. @throws {CommandError} `interrupted` */
export async function trainHere(surroundings: Surroundings, request: TrainingHere): Promise<TrainingSummary> {
  const { stderr, clock, interrupt } = surroundings;
  const { model, dataset, out, seed, resume } = request;
  const { rank, alpha, dropout, targets, iterations, batch, accumulate, learningRate, warmup, evaluateEvery } = request;
  const given = { rank, alpha, dropout, targets, iterations, batch, accumulate, learningRate, warmup, evaluateEvery };
  const tuning: object = {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    seed,
  };
  const progress = new ProgressLine(stderr, clock, "train", "steps/s");
  try {
    const summary = await trainAdapter({
      ...{ model, dataset, out, tuning, isResumed: resume === true },
      openBackend: computeOf(surroundings, request),
      signal: interrupt,
      nowMs: () => clock.nowMs(),
      onStep: (step, of, loss) => {
        progress.name(`loss ${loss.toFixed(3)}`);
        progress.update(step, of);
      },
      onEvaluation: (step, loss) => {
        progress.clear();
        stderr.write(`step ${step}: validation loss ${loss.toFixed(4)} nats\n`);
      },
    });
    if (!summary.isStopped) return summary;
    const kept = `${out} keeps a checkpoint: go on with --resume`;
    throw new CommandError("interrupted", `stopped after step ${summary.steps}`, kept);
  } finally {
    progress.clear();
  }
}

/** What came of a training, for a person. */
export function trainingText(out: string, summary: TrainingSummary): string {
  const { steps, seconds, trainableParameters, trainableShare, validationLoss } = summary;
  const [first, last] = [validationLoss[0]?.loss, validationLoss.at(-1)?.loss];
  const losses =
    first === undefined || last === undefined
      ? ""
      : `, validation loss ${first.toFixed(3)} before, ${last.toFixed(3)} after (${(100 * (last / first - 1)).toFixed(0)} %)`;
  return [
    `${out}: ${steps} steps in ${seconds.toFixed(1)} s${losses}`,
    `  ${formatCount(trainableParameters)} numbers were trained, ${(100 * trainableShare).toFixed(1)} % of all`,
  ].join("\n");
}
