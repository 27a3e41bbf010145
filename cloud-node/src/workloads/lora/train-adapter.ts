import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type LossCurve, lossCurvesPlot } from "../language-model/loss-plot.ts";
import { replaceFile } from "../language-model/replace-file.ts";
import { writeAdapter } from "./adapter-file.ts";
import { type FineTuned, type FineTuneRequest, fineTune } from "./fine-tune.ts";
import type { FineTuneOptions } from "./fine-tune-options.ts";
import type { Dataset } from "./make-dataset.ts";
import { loadModelFolder } from "./model-folder.ts";
import { tokenizeExamples } from "./tokenized-example.ts";
import { settleTuning } from "./tuning-recipes.ts";

/** Beside the adapter in its folder. */
export const TRAINING_FILE = "training.json";
export const CHECKPOINT_FILE = "checkpoint.safetensors";
const LOSS_PLOT = "loss.svg";

/** An adapter to be made. */
export interface AdapterRequest
  extends Omit<FineTuneRequest, "model" | "examples" | "validation" | "options" | "checkpoint" | "onStep"> {
  /** Folder of the model. */
  readonly model: string;
  readonly dataset: Pick<Dataset, "train" | "validation">;
  /** Folder of the adapter. */
  readonly out: string;
  /** What is left out follows from the model's size. */
  readonly tuning: Partial<FineTuneOptions>;
  readonly onStep?: (step: number, of: number, loss: number) => void;
}

/** What is kept of a training, beside its adapter. */
export type TrainingSummary = Omit<FineTuned, "adapter"> & {
  /** Of what is trained, among all numbers. */
  readonly trainableShare: number;
};

/**
 * Teach a model a data set, and leave a folder with the adapter, what its training was like, and a picture of its loss.
 *
 * @throws {LoraError}; {LanguageModelError}
 */
export async function trainAdapter({
  model: folder,
  dataset,
  out,
  tuning,
  onStep,
  ...request
}: AdapterRequest): Promise<TrainingSummary> {
  const model = await loadModelFolder(folder);
  try {
    await mkdir(out, { recursive: true });
    const options = settleTuning(model.config, tuning);
    const { adapter, ...found } = await fineTune({
      ...request,
      ...{ model, options },
      onStep: (step, loss) => onStep?.(step, options.iterations, loss),
      examples: tokenizeExamples(model, dataset.train),
      validation: tokenizeExamples(model, dataset.validation),
      checkpoint: join(out, CHECKPOINT_FILE),
    });
    const summary = { ...found, trainableShare: found.trainableParameters / found.totalParameters };
    if (found.isStopped) return summary;
    await writeAdapter(out, adapter);
    const kept = { model: folder, options, ...summary };
    await replaceFile(join(out, TRAINING_FILE), [`${JSON.stringify(kept, undefined, 2)}\n`]);
    await replaceFile(join(out, LOSS_PLOT), [lossCurvesPlot(lossCurves(found), "Loss of answers")]);
    return summary;
  } finally {
    await model.close();
  }
}

/** Share that the running mean keeps at each step. */
const KEPT = 0.9;

function lossCurves({ trainLoss, validationLoss }: Pick<FineTuned, "trainLoss" | "validationLoss">): LossCurve[] {
  let mean = 0;
  const training = trainLoss.map((loss, step) => {
    mean = KEPT * mean + (1 - KEPT) * loss;
    return [step, mean / (1 - KEPT ** (step + 1))] as const;
  });
  return [
    { name: "training", points: training },
    { name: "validation", points: validationLoss.map(({ step, loss }) => [step, loss] as const) },
  ];
}
