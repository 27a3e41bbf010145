import { settleModel } from "../language-model/model-config.ts";
import { openBackend } from "../language-model/open-backend.ts";
import { OptimizerSteps } from "../language-model/optimizer-step.ts";
import { parameterCount, parameterSpecs } from "../language-model/parameters.ts";
import type { RunConfig } from "../language-model/run-config.ts";
import { prepareData } from "../language-model/run-data.ts";
import { TensorModel } from "../language-model/tensor-model.ts";
import type { Tokenizer } from "../language-model/tokenizer.ts";
import { GradientError } from "./gradient-error.ts";
import { GradientSurvey, type TensorVariance } from "./gradient-survey.ts";
import { sharedConfig } from "./shared-config.ts";

/** A training to look into before it is made. */
export interface CalibrationRequest {
  readonly config: RunConfig;
  readonly text: string;
  readonly tokenizer?: Tokenizer | undefined;
  /** Workers that share a batch: one's part of it is looked at. */
  readonly workers: number;
  /** ≥ 2: one gradient alone varies from nothing. */
  readonly steps: number;
  /** Told after each step; false: end. */
  readonly onStep?: (done: number) => Promise<boolean>;
}

/**
 * Train one worker's part for some steps, and measure how its gradients vary, tensor by tensor.
 *
 * @returns in the order of the model's tensors; undefined where it was ended
 * @throws {LanguageModelError} a text that is too short; {GradientError} `bad-option`
 */
export async function calibrate(request: CalibrationRequest): Promise<TensorVariance[] | undefined> {
  const { text, tokenizer, workers, steps, onStep } = request;
  if (!(steps >= 2)) throw new GradientError("bad-option", `calibration over ${steps} steps`, "take 2 or more");
  const config = sharedConfig(request.config, workers);
  const part: RunConfig = { ...config, data: { ...config.data, rows: config.data.rows / workers, shards: 1 } };
  const data = prepareData(part, text, tokenizer);
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
      if ((await onStep?.(step + 1)) === false) return undefined;
    }
    return survey.variances();
  } finally {
    model.close();
  }
}
