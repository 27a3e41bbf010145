import type { ModelConfig } from "../language-model/model-config.ts";
import { parameterCount } from "../language-model/parameters.ts";
import { type FineTuneOptions, parseFineTuneOptions } from "./fine-tune-options.ts";

/** Models below this are tiny ones: SmolLM, the smallest of those that others made, is ten times as large. */
const TINY_PARAMETERS = 10_000_000;

/**
 * A tiny model has little to build on, so that its maps have to move it far in few updates: large
 * scale and large batches. A large one would forget what it knows.
 */
const TINY: Partial<FineTuneOptions> = { alpha: 256, batch: 128, learningRate: 4e-3 };

/**
 * Options of training as somebody gave them, those that go with the model's size, and defaults for what is left.
 *
 * @throws {LoraError} `bad-option`
 */
export function settleTuning(config: ModelConfig, given: Partial<FineTuneOptions>): FineTuneOptions {
  const isTiny = parameterCount(config) < TINY_PARAMETERS;
  return parseFineTuneOptions({ ...(isTiny ? TINY : {}), ...given });
}
