import { isDeepStrictEqual } from "node:util";
import type { WeightSource } from "../language-model/decoder.ts";
import { type LoadedModel, loadModelFolder } from "../lora/model-folder.ts";
import { DistillationError } from "./distillation-error.ts";
import { type HeldWeights, holdWeights, type Precision } from "./quantized-weights.ts";
import { vocabularyFile } from "./vocabulary.ts";

/** A teacher, loaded: its weights are in memory, and its files are closed. */
export interface Teacher extends Pick<LoadedModel, "config" | "tokenizer" | "chat" | "ends" | "chatTokens"> {
  readonly weights: HeldWeights;
}

/**
 * Load a teacher from a folder as Hugging Face's transformers keeps a Llama.
 *
 * @throws {DistillationError} `other-vocabulary`: the student could not learn from its probabilities; {LoraError} and
 * {LanguageModelError} as `loadModelFolder`
 */
export async function loadTeacher(folder: string, precision: Precision): Promise<Teacher> {
  const model = await loadModelFolder(folder);
  try {
    const { file } = model.tokenizer.toJson() as { readonly file: object };
    if (!isDeepStrictEqual(file, vocabularyFile())) {
      const problem = `${folder}: its tokenizer.json is not the one that teachers and student share`;
      throw new DistillationError("other-vocabulary", problem, "give a teacher with that vocabulary");
    }
    const source: WeightSource = model.weights;
    const weights = await holdWeights(model.config, source, precision);
    const { config, tokenizer, chat, ends } = model;
    return { config, tokenizer, chat, ends, weights, chatTokens: (prompt) => model.chatTokens(prompt) };
  } finally {
    await model.close();
  }
}
