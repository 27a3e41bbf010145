import * as v from "valibot";
import type { WeightSource } from "../language-model/decoder.ts";
import { initialValues } from "../language-model/initial-values.ts";
import { type ModelConfig, modelSchema, settleModel } from "../language-model/model-config.ts";
import { parameterSpecs } from "../language-model/parameters.ts";
import { writeModelFolder } from "../lora/write-model-folder.ts";
import type { ModelSize } from "./options.ts";
import { END_TOKEN, VOCABULARY, vocabularyConfig, vocabularyFile } from "./vocabulary.ts";

/** Tokens that models here see: longer than any question with its answer. */
const CONTEXT = 96;

/** A Llama of a size, with the vocabulary that all share. @throws {v.ValiError} sizes that do not go together */
export function llamaOf(size: ModelSize): ModelConfig {
  const llama = { norm: "rms", activation: "swiglu", positions: "rope", tied: true, context: CONTEXT } as const;
  return settleModel(v.parse(modelSchema, { ...llama, ...size }), VOCABULARY);
}

/** Weights that a seed draws. */
export function drawnWeights(config: ModelConfig, seed: number): WeightSource {
  const specs = new Map(parameterSpecs(config).map((spec) => [spec.name, spec]));
  return {
    floats: (name) => {
      const spec = specs.get(name);
      if (spec === undefined) throw new RangeError(`the model has no tensor ${name}`);
      return Promise.resolve(Float32Array.from(initialValues(spec, seed)));
    },
  };
}

/** Write a model of the shared vocabulary. @throws as `writeModelFolder` */
export async function writeLlama(folder: string, config: ModelConfig, weights: WeightSource): Promise<void> {
  const tokenizerConfig = vocabularyConfig(config.context);
  await writeModelFolder(folder, {
    ...{ config, weights, tokenizerFile: vocabularyFile(), tokenizerConfig, ends: [END_TOKEN] },
  });
}
