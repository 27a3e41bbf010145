import * as v from "valibot";
import { BranchedModel } from "./branched-model.ts";
import type { Category } from "./capability.ts";
import { type Learned, learn } from "./learn.ts";
import { Lesson } from "./lesson.ts";
import { drawnWeights, llamaOf, writeLlama } from "./llama.ts";
import { spikeSchema, type TeacherOptions } from "./options.ts";
import { questionWriter } from "./question-writer.ts";
import type { RunHooks } from "./run-hooks.ts";

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
