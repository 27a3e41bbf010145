import { setImmediate } from "node:timers/promises";
import type { OptimizerStep } from "../../tensor/optimizer.ts";
import type { ShardedBackend } from "../language-model/open-backend.ts";
import { rateShare } from "../language-model/schedule.ts";
import { type AnswerBatch, type BatchShape, layOutBatch, shapeFor } from "./answer-batch.ts";
import { ExampleOrder } from "./example-order.ts";
import { FineTuneCheckpoint, type FineTuneProgress } from "./fine-tune-checkpoint.ts";
import { type FineTuneOptions, shardsOf } from "./fine-tune-options.ts";
import { LoraError } from "./lora-error.ts";
import { type Adapter, scaleOf } from "./low-rank.ts";
import { LowRankModel } from "./low-rank-model.ts";
import type { LoadedModel } from "./model-folder.ts";
import type { TokenizedExample } from "./tokenized-example.ts";

/** AdamW's as PyTorch has them. */
const ADAMW = { beta1: 0.9, beta2: 0.99, eps: 1e-8 };

/** What is to be learned, and whom a run tells. */
export interface FineTuneRequest {
  readonly model: LoadedModel;
  readonly examples: readonly TokenizedExample[];
  /** Never learned from. */
  readonly validation: readonly TokenizedExample[];
  readonly options: FineTuneOptions;
  readonly openBackend: (shards: number) => Promise<ShardedBackend>;
  /** File of the run's checkpoint; none is kept unless given. */
  readonly checkpoint?: string | undefined;
  /** Go on from that file, where there is one. */
  readonly isResumed?: boolean | undefined;
  /** Aborted: keep a checkpoint and end. */
  readonly signal: AbortSignal;
  /** Monotonic, ms. */
  readonly nowMs: () => number;
  readonly onStep?: ((step: number, loss: number) => void) | undefined;
  readonly onEvaluation?: ((step: number, validationLoss: number) => void) | undefined;
  readonly onCheckpoint?: ((path: string) => Promise<void>) | undefined;
}

/** What came of it. */
export interface FineTuned {
  readonly adapter: Adapter;
  /** Updates made. */
  readonly steps: number;
  /** Whether it was stopped before its last step. */
  readonly isStopped: boolean;
  /** Of steps and looks at the validation examples; not of loading. */
  readonly seconds: number;
  /** Of each step, nats a token. */
  readonly trainLoss: readonly number[];
  readonly validationLoss: readonly { readonly step: number; readonly loss: number }[];
  readonly trainableParameters: number;
  /** With those of the adapter. */
  readonly totalParameters: number;
}

/**
 * Teach a model by an adapter: its own weights stay, and the loss is of answers alone.
 *
 * What is learned depends on the model, the examples, the options and the number of shards. A run goes on from its
 * checkpoint bit for bit.
 *
 * @throws {LoraError} `no-examples`, `example-too-long`, `loss-not-finite`, `other-run`, `bad-checkpoint`;
 * {TensorError} what the backend cannot hold; {LanguageModelError} `no-room`
 */
export async function fineTune(request: FineTuneRequest): Promise<FineTuned> {
  const { model, examples, validation, options } = request;
  checkExamples(request);
  const backend = await request.openBackend(shardsOf(options));
  const shape = shapeFor([...examples, ...validation], options.batch / backend.shards, backend.shards);
  const head = headOf(model, options);
  const plan = { ...options, scale: scaleOf(head) };
  const learner = await LowRankModel.create(backend, model, plan, shape, options.seed);
  try {
    const path = request.checkpoint;
    const checkpoint = path === undefined ? undefined : await FineTuneCheckpoint.open(path, request);
    const progress = (await checkpoint?.resume(learner)) ?? freshProgress();
    const isStopped = await new FineTuneRun(request, learner, shape, progress, checkpoint).toItsEnd();
    return {
      ...{ steps: progress.step, isStopped, seconds: progress.seconds },
      ...{ trainLoss: progress.trainLoss, validationLoss: progress.validationLoss },
      adapter: { ...head, pairs: await learner.pairs() },
      ...{ trainableParameters: learner.trainedCount, totalParameters: learner.count },
    };
  } finally {
    learner.close();
  }
}

class FineTuneRun {
  readonly #request: FineTuneRequest;
  readonly #learner: LowRankModel;
  readonly #shape: BatchShape;
  readonly #order: ExampleOrder;
  readonly #progress: FineTuneProgress;
  readonly #checkpoint: FineTuneCheckpoint | undefined;
  readonly #validation: readonly AnswerBatch[];

  constructor(
    request: FineTuneRequest,
    learner: LowRankModel,
    shape: BatchShape,
    progress: FineTuneProgress,
    checkpoint: FineTuneCheckpoint | undefined,
  ) {
    this.#request = request;
    this.#learner = learner;
    this.#shape = shape;
    this.#progress = progress;
    this.#checkpoint = checkpoint;
    this.#order = new ExampleOrder(request.examples.length, request.options.seed);
    const { batch } = request.options;
    this.#validation = Array.from({ length: Math.ceil(request.validation.length / batch) }, (_, at) =>
      layOutBatch(request.validation.slice(at * batch, (at + 1) * batch), shape),
    );
  }

  /** @returns whether it was stopped before */
  async toItsEnd(): Promise<boolean> {
    const { options, signal, nowMs, onStep } = this.#request;
    const progress = this.#progress;
    for (;;) {
      const { step } = progress;
      const isLast = step === options.iterations;
      if (isLast || step % options.evaluateEvery === 0) await this.#evaluate();
      if (isLast) return false;
      await setImmediate();
      if (signal.aborted) {
        await this.#keep();
        return true;
      }
      const startedMs = nowMs();
      const { loss, gradientNorm } = await this.#learner.train(this.#batches(step), this.#update(step));
      if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) throw this.#notFinite(step);
      progress.seconds += (nowMs() - startedMs) / 1000;
      progress.trainLoss.push(loss);
      progress.step += 1;
      onStep?.(progress.step, loss);
    }
  }

  async #evaluate(): Promise<void> {
    const { nowMs, onEvaluation } = this.#request;
    const progress = this.#progress;
    if (this.#validation.length > 0 && progress.validationLoss.at(-1)?.step !== progress.step) {
      const startedMs = nowMs();
      const loss = await this.#learner.loss(this.#validation);
      progress.seconds += (nowMs() - startedMs) / 1000;
      if (!Number.isFinite(loss)) throw this.#notFinite(progress.step);
      progress.validationLoss.push({ step: progress.step, loss });
      onEvaluation?.(progress.step, loss);
    }
    await this.#keep();
  }

  async #keep(): Promise<void> {
    if (this.#checkpoint === undefined) return;
    await this.#checkpoint.write(this.#learner, this.#progress);
    await this.#request.onCheckpoint?.(this.#checkpoint.path);
  }

  #batches(step: number): AnswerBatch[] {
    const { examples, options } = this.#request;
    const { batch, accumulate } = options;
    return Array.from({ length: accumulate }, (_, part) => {
      const first = (step * accumulate + part) * batch;
      const chosen = Array.from({ length: batch }, (_, at) => examples[this.#order.at(first + at)] as TokenizedExample);
      return layOutBatch(chosen, this.#shape);
    });
  }

  #update(step: number): OptimizerStep {
    const { learningRate, warmup, finalShare, iterations, weightDecay, clip } = this.#request.options;
    const share = rateShare({ kind: "cosine", warmup, warmdown: 0, finalShare }, step, iterations);
    const group = { parameters: this.#learner.trained, learningRate: share * learningRate, ...ADAMW, weightDecay };
    return { step: step + 1, clipNorm: clip, groups: [{ kind: "adamw", ...group }] };
  }

  #notFinite(step: number): LoraError {
    const remedy = "train again with a lower learning rate";
    return new LoraError("loss-not-finite", `step ${step}: loss or gradient is no finite number`, remedy);
  }
}

function freshProgress(): FineTuneProgress {
  return { step: 0, seconds: 0, trainLoss: [], validationLoss: [] };
}

function headOf(model: LoadedModel, { rank, alpha, dropout, targets }: FineTuneOptions): Omit<Adapter, "pairs"> {
  return { rank, alpha, dropout, targets, isRankStabilized: false, base: model.folder };
}

function checkExamples({ model, examples, validation, options }: FineTuneRequest): void {
  if (examples.length === 0) throw new LoraError("no-examples", "there is nothing to learn from", "give examples");
  const most = Math.min(options.mostTokens ?? Infinity, model.config.context);
  for (const [kind, list] of [["example", examples] as const, ["validation example", validation] as const]) {
    const long = list.findIndex(({ tokens }) => tokens.length - 1 > most);
    if (long < 0) continue;
    const problem = `${kind} ${long + 1} has ${(list[long]?.tokens.length ?? 0) - 1} tokens, of at most ${most}`;
    throw new LoraError("example-too-long", problem, "shorten it, or leave it out");
  }
}
