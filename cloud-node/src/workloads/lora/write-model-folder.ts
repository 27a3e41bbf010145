import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { WeightSource } from "../language-model/decoder.ts";
import { HfTokenizer } from "../language-model/hf-tokenizer.ts";
import type { ModelConfig } from "../language-model/model-config.ts";
import { parameterSpecs } from "../language-model/parameters.ts";
import { replaceFile } from "../language-model/replace-file.ts";
import { toFloat32 } from "../language-model/safetensors-reader.ts";
import { safetensorsPieces } from "../language-model/safetensors-writer.ts";
import { statIfThere } from "../language-model/stat-if-there.ts";
import { writeLlamaConfig } from "./llama-config.ts";
import { llamaName } from "./llama-names.ts";
import { LoraError } from "./lora-error.ts";
import { CONFIG_FILE, TOKENIZER_CONFIG_FILE, TOKENIZER_FILE } from "./model-folder.ts";
import { WEIGHTS_FILE } from "./weight-files.ts";

/** A model to be written. */
export interface ModelParts {
  readonly config: ModelConfig;
  /** Of `tokenizer.json` and `tokenizer_config.json`. */
  readonly tokenizerFile: object;
  readonly tokenizerConfig: object;
  /** Tokens that end an answer. */
  readonly ends: readonly number[];
  /** By the names of `language-model`. */
  readonly weights: WeightSource;
}

/**
 * Write a model as Hugging Face's transformers reads it, in float32: mirror of `loadModelFolder`. The weights come last, so
 * that a folder that was cut short is no model.
 *
 * @throws {LoraError} `folder-taken` where there are weights already, `unsupported-model`; {LanguageModelError}
 * `bad-tokenizer`, `no-room`
 */
export async function writeModelFolder(folder: string, parts: ModelParts): Promise<void> {
  const { config, tokenizerFile, tokenizerConfig, ends, weights } = parts;
  if ((await statIfThere(join(folder, WEIGHTS_FILE))) !== undefined) {
    throw new LoraError("folder-taken", `there is a model in ${folder}`, "name another folder");
  }
  const json = writeLlamaConfig(config, ends);
  new HfTokenizer(tokenizerFile);
  await mkdir(folder, { recursive: true });
  await replaceFile(join(folder, CONFIG_FILE), [textOf(json)]);
  await replaceFile(join(folder, TOKENIZER_FILE), [textOf(tokenizerFile)]);
  await replaceFile(join(folder, TOKENIZER_CONFIG_FILE), [textOf(tokenizerConfig)]);
  const sources = parameterSpecs(config).map(({ name, shape }) => ({
    ...{ name: llamaName(name), shape, type: "F32" as const },
    read: async () => toFloat32(await weights.floats(name, shape)),
  }));
  await replaceFile(join(folder, WEIGHTS_FILE), safetensorsPieces(sources, new Map([["format", "pt"]])));
}

function textOf(json: object): string {
  return `${JSON.stringify(json, undefined, 2)}\n`;
}
