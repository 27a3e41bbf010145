import { settleModel } from "../language-model/model-config.ts";
import { openBackend } from "../language-model/open-backend.ts";
import { OptimizerSteps } from "../language-model/optimizer-step.ts";
import { parameterCount, parameterSpecs } from "../language-model/parameters.ts";
import type { RunConfig } from "../language-model/run-config.ts";
import { prepareData } from "../language-model/run-data.ts";
import { TensorModel } from "../language-model/tensor-model.ts";
import { GradientSurvey, type TensorVariance } from "./gradient-survey.ts";

/** A training to look into before it is made. */
export interface CalibrationRequest {
  readonly config: RunConfig;
  readonly text: string;
  /** Workers that share a batch: one's part of it is looked at. */
  readonly workers: number;
  /** ≥ 2. */
  readonly steps: number;
}

/**
 * Train one worker's part for some steps, and measure how its gradients vary, tensor by tensor.
 *
 * @throws {LanguageModelError} a text that is too short
 */
export async function calibrate({ config, text, workers, steps }: CalibrationRequest): Promise<TensorVariance[]> {
  const part: RunConfig = { ...config, data: { ...config.data, rows: config.data.rows / workers } };
  const data = prepareData(part, text);
  const modelConfig = settleModel(config.model, data.tokenizer.vocabulary);
  const backend = await openBackend({ name: "wasm-strict", shards: 1, threads: 1 });
  const model = await TensorModel.create(backend, modelConfig, part.data.rows, config.seed);
  try {
    const survey = new GradientSurvey(parameterSpecs(modelConfig).map(({ name, shape }) => ({ name, shape })));
    const updates = new OptimizerSteps(config, modelConfig);
    const gradient = new Float32Array(parameterCount(modelConfig));
    for (let step = 0; step < steps; step += 1) {
      const update = updates.at(step);
      await model.backward(data.training.next(), update.step);
      await model.read("gradient", gradient);
      survey.add(gradient);
      await model.update(update);
    }
    return survey.variances();
  } finally {
    model.close();
  }
}
