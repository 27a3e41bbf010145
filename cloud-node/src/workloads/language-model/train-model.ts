import type { BackendName, Checkpoint } from "./checkpoint.ts";
import { LanguageModelError } from "./language-model-error.ts";
import { lossPlot } from "./loss-plot.ts";
import type { Model } from "./model.ts";
import { type ModelConfig, settleModel } from "./model-config.ts";
import type { ShardedBackend } from "./open-backend.ts";
import { parameterCount } from "./parameters.ts";
import { type RunConfig, shardsOf } from "./run-config.ts";
import { prepareData, type RunData } from "./run-data.ts";
import { RunFolder } from "./run-folder.ts";
import { type RunSummary, summaryText } from "./run-summary.ts";
import { ScalarModel } from "./scalar-model.ts";
import { TensorModel } from "./tensor-model.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { type RunOutcome, type TrainingRun, trainRun } from "./train-run.ts";
import type { TrainingText } from "./training-text.ts";

/** A run to be made, or gone on with. */
export interface TrainRequest
  extends Pick<
    TrainingRun,
    "signal" | "nowMs" | "memoryBytes" | "onStep" | "onJudging" | "onEvaluation" | "onCheckpoint" | "onWarning"
  > {
  readonly config: RunConfig;
  readonly text: TrainingText;
  /** Folder of the run. */
  readonly out: string;
  /** Whether a run that is there may go. */
  readonly isReplaced: boolean;
  /** Given where it comes from a file; else the text makes it. */
  readonly tokenizer?: Tokenizer | undefined;
  /** Where to go on; its configuration has to be `config`. */
  readonly checkpoint?: Checkpoint | undefined;
  /** Of the tensor engine; not asked where the scalar one is chosen. */
  readonly openBackend: (shards: number) => Promise<ShardedBackend>;
  /** Makes the model; unless given, one that is trained here alone. */
  readonly openModel?: (config: ModelConfig) => Promise<OpenedModel>;
}

/** A model, and the name of what computes it. */
export interface OpenedModel {
  readonly model: Model;
  readonly backend: BackendName;
}

/**
 * Train a model from a text, and leave a folder that says everything of it.
 *
 * @throws {LanguageModelError}
 */
export async function trainModel(request: TrainRequest): Promise<RunSummary> {
  const { config, text, checkpoint } = request;
  checkText(text.sha256, checkpoint);
  const data = prepareData(config, text.text, request.tokenizer ?? checkpoint?.tokenizer);
  const modelConfig = settleModel(config.model, data.tokenizer.vocabulary);
  const opened = request.openModel?.(modelConfig) ?? openModel(request, modelConfig);
  const { model, backend } = await opened;
  try {
    if (checkpoint !== undefined) await model.restore(checkpoint.reader);
    const folder =
      checkpoint === undefined
        ? await RunFolder.create(request.out, request.isReplaced)
        : await RunFolder.reopen(request.out, checkpoint.progress.step);
    await folder.write("config.json", `${JSON.stringify(config, undefined, 2)}\n`);
    const outcome = await trainRun({
      ...request,
      modelConfig,
      model,
      data,
      backend,
      textDigest: text.sha256,
      folder,
      progress: checkpoint?.progress,
    });
    const summary = summarize(request, { data, modelConfig, folder, outcome, backend });
    await folder.write("summary.json", `${JSON.stringify(summary, undefined, 2)}\n`);
    await folder.write("summary.md", summaryText(summary));
    await folder.write("loss.svg", lossPlot(folder.rows, `Loss of ${text.name}`));
    return summary;
  } finally {
    model.close();
  }
}

/** A run goes on with the text that it began with, or it would be another. */
function checkText(textDigest: string, checkpoint: Checkpoint | undefined): void {
  if (checkpoint === undefined || checkpoint.textDigest === textDigest) return;
  const problem = `${checkpoint.path} was trained on another text (SHA-256 ${checkpoint.textDigest})`;
  throw new LanguageModelError("other-run", problem, "give that text, or begin a run with --out in another folder");
}

async function openModel({ config, openBackend }: TrainRequest, modelConfig: ModelConfig): Promise<OpenedModel> {
  if (config.engine === "scalar") return { model: new ScalarModel(modelConfig, config.seed), backend: "scalar" };
  const backend = await openBackend(shardsOf(config));
  const model = await TensorModel.create(backend, modelConfig, config.data.rows, config.seed);
  return { model, backend: backend.name };
}

interface Made {
  readonly data: RunData;
  readonly modelConfig: ModelConfig;
  readonly folder: RunFolder;
  readonly outcome: RunOutcome;
  readonly backend: BackendName;
}

function summarize(request: TrainRequest, made: Made): RunSummary {
  const { data, modelConfig, folder, outcome, backend } = made;
  const { progress, isStopped, memoryGrowthBytes } = outcome;
  const { step: steps, tokens, seconds, best } = progress;
  const judged = folder.rows.findLast(({ valLoss }) => valLoss !== null);
  return {
    config: request.config,
    backend,
    parameters: parameterCount(modelConfig),
    vocabulary: modelConfig.vocabulary,
    text: { name: request.text.name, sha256: request.text.sha256, tokens: data.tokens },
    ...{ steps, isStopped, tokens, seconds, tokensPerSecond: seconds > 0 ? tokens / seconds : 0 },
    final:
      judged === undefined
        ? null
        : {
            step: judged.step,
            trainLoss: judged.trainLoss ?? Number.NaN,
            valLoss: judged.valLoss ?? Number.NaN,
            valBitsPerByte: judged.valBitsPerByte ?? Number.NaN,
          },
    best,
    memoryBytes: request.memoryBytes(),
    memoryGrowthBytes,
  };
}
