import * as v from "valibot";
import type { WeightSource } from "../language-model/decoder.ts";
import { initialValues } from "../language-model/initial-values.ts";
import { type ModelConfig, modelSchema, settleModel } from "../language-model/model-config.ts";
import { parameterSpecs } from "../language-model/parameters.ts";
import { writeModelFolder } from "../lora/write-model-folder.ts";
import { BranchedModel } from "./branched-model.ts";
import type { Category } from "./capability.ts";
import { type Learned, learn } from "./learn.ts";
import { Lesson } from "./lesson.ts";
import { type ModelSize, spikeSchema, type TeacherOptions } from "./options.ts";
import { questionWriter } from "./question-writer.ts";
import type { RunHooks } from "./run-hooks.ts";
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

/** A teacher to be made. */
export interface TeacherRequest {
  readonly category: Category;
  readonly options: TeacherOptions;
  readonly seed: number;
}

/**
 * Train a small Llama on one capability, and write it as Hugging Face's transformers would.
 *
 * @param out  folder that gets the model
 * @throws {DistillationError} `loss-not-finite`
 */
export async function makeTeacher(
  out: string,
  { category, options, seed }: TeacherRequest,
  run: RunHooks,
): Promise<Learned> {
  const config = llamaOf(options.size);
  const backend = await run.backend();
  const lesson = await Lesson.open(backend, {
    ...{ category, layers: config.layers, writer: questionWriter(config.context), seed },
    ...{ questions: options.questions, tokens: options.tokens, softShare: 0, isAnchored: false },
  });
  const plan = { config, branches: [lesson.branch], isBackboneTrained: true, areAdaptersTrained: false };
  const model = await BranchedModel.create(backend, plan, drawnWeights(config, seed), seed);
  try {
    const spikes = v.parse(spikeSchema, {});
    const checkEvery = options.steps;
    const learned = await learn({ model, lessons: [lesson], phase: options, anchorWeight: 0, checkEvery, spikes, run });
    await writeLlama(out, config, model.weights);
    return learned;
  } finally {
    model.close();
    lesson.close();
  }
}
