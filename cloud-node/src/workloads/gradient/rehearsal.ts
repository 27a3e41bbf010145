import { settleModel } from "../language-model/model-config.ts";
import { parameterCount } from "../language-model/parameters.ts";
import type { RunConfig } from "../language-model/run-config.ts";
import { judge, prepareData } from "../language-model/run-data.ts";
import type { TensorModel } from "../language-model/tensor-model.ts";
import type { Contribution } from "./exchange-message.ts";
import type { GradientTensor } from "./gradient-layout.ts";
import type { GradientMethod, MethodOptions } from "./method.ts";
import { openReplica } from "./open-replica.ts";
import type { Replica } from "./replica.ts";

/** A training whose exchange is looked at. */
export interface RehearsalRequest {
  readonly config: RunConfig;
  readonly text: string;
  readonly workers: number;
  /** One method for each worker. */
  readonly createMethod: (layout: readonly GradientTensor[], options: MethodOptions) => GradientMethod;
  /** Batches that the last evaluation takes from the part that judges. */
  readonly lastEvalBatches: number;
}

/** What a rehearsal came to. */
export interface RehearsalResult {
  readonly parameters: number;
  /** Of messages that one worker sent, over all steps. */
  readonly bytesPerStep: number;
  /** Mean after the last step, nats. */
  readonly valLoss: number;
  /** At every evaluation on the way. */
  readonly curve: readonly { readonly step: number; readonly valLoss: number }[];
}

/**
 * All workers of a training in one process, without links: the same parameters as if they were apart, one after the
 * other in time. What methods are compared with.
 */
export async function rehearse(request: RehearsalRequest): Promise<RehearsalResult> {
  const { config, text, workers, lastEvalBatches } = request;
  const data = prepareData(config, text);
  const replicas: Replica[] = [];
  const models: TensorModel[] = [];
  const modelConfig = settleModel(config.model, data.tokenizer.vocabulary);
  const count = parameterCount(modelConfig);
  const { steps } = config;
  for (let rank = 0; rank < workers; rank += 1) {
    const { model, replica } = await openReplica({ ...request, modelConfig, rank });
    models.push(model);
    replicas.push(replica);
  }
  const [first] = replicas;
  const curve: { step: number; valLoss: number }[] = [];
  let bytes = 0;
  const valLoss = async (step: number, batches: number): Promise<number> => {
    if (first === undefined) return Number.NaN;
    const source = data.evaluation("val", step);
    const judged = await judge(
      source,
      batches,
      data.tokenizer,
      (batch) => first.loss(batch),
      async () => true,
    );
    return judged?.loss ?? Number.NaN;
  };
  try {
    for (let step = 0; step < steps; step += 1) {
      if (step % config.evalEvery === 0) curve.push({ step, valLoss: await valLoss(step, config.evalBatches) });
      const batch = data.training.next();
      const losses: number[] = [];
      for (const replica of replicas) losses.push(await replica.learn(batch, step));
      if (first?.isLast(step) === true) {
        const sent: Contribution[] = [];
        for (const [rank, replica] of replicas.entries()) {
          sent.push({ rank, loss: losses[rank] ?? Number.NaN, bytes: await replica.contribution(step) });
        }
        for (const { bytes: message } of sent) bytes += message.length / workers;
        for (const replica of replicas) await replica.apply(step, sent, undefined);
      } else for (const replica of replicas) await replica.stepAlone(step);
    }
    const last = await valLoss(steps, lastEvalBatches);
    curve.push({ step: steps, valLoss: last });
    return { parameters: count, bytesPerStep: bytes / steps, valLoss: last, curve };
  } finally {
    for (const model of models) model.close();
  }
}
