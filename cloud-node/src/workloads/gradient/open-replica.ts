import type { ModelConfig } from "../language-model/model-config.ts";
import { openBackend } from "../language-model/open-backend.ts";
import { OptimizerSteps } from "../language-model/optimizer-step.ts";
import { parameterCount, parameterSpecs } from "../language-model/parameters.ts";
import type { RunConfig } from "../language-model/run-config.ts";
import { TensorModel } from "../language-model/tensor-model.ts";
import type { GradientTensor } from "./gradient-layout.ts";
import type { GradientMethod, MethodOptions } from "./method.ts";
import { Replica } from "./replica.ts";

/** One worker of a training. */
export interface ReplicaRequest {
  readonly config: RunConfig;
  readonly modelConfig: ModelConfig;
  readonly workers: number;
  /** 0 … workers − 1. */
  readonly rank: number;
  readonly createMethod: (layout: readonly GradientTensor[], options: MethodOptions) => GradientMethod;
}

/** A worker's model at its beginning. @returns the model, too, which is the caller's to close */
export async function openReplica(
  request: ReplicaRequest,
): Promise<{ readonly model: TensorModel; readonly replica: Replica }> {
  const { config, modelConfig, workers, rank } = request;
  const { steps, seed, data } = config;
  const backend = await openBackend({ name: "wasm-strict", shards: 1, threads: 1 });
  const model = await TensorModel.create(backend, modelConfig, data.rows / workers, seed, rank);
  const layout = parameterSpecs(modelConfig).map(({ name, shape }) => ({ name, shape }));
  const method = request.createMethod(layout, { workers, rank, seed });
  const { beta1 = config.optimizer.beta1 } = method;
  const updates = new OptimizerSteps({ ...config, optimizer: { ...config.optimizer, beta1 } }, modelConfig);
  const updateAt = (step: number) => updates.at(step);
  const count = parameterCount(modelConfig);
  return { model, replica: await Replica.open({ model, method, rank, workers, steps, count, updateAt }) };
}
