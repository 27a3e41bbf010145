import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import type { WeightSource } from "../language-model/decoder.ts";
import { HfTokenizer } from "../language-model/hf-tokenizer.ts";
import type { ModelConfig } from "../language-model/model-config.ts";
import { parameterSpecs } from "../language-model/parameters.ts";
import { statIfThere } from "../language-model/stat-if-there.ts";
import { ChatTemplate } from "./chat-template.ts";
import { readLlamaConfig } from "./llama-config.ts";
import { llamaName } from "./llama-names.ts";
import { badModel, readJson, WeightFiles } from "./weight-files.ts";

export const CONFIG_FILE = "config.json";
export const TOKENIZER_FILE = "tokenizer.json";
export const TOKENIZER_CONFIG_FILE = "tokenizer_config.json";
const GENERATION_FILE = "generation_config.json";
const TEMPLATE_FILE = "chat_template.jinja";

const token = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const generationSchema = v.looseObject({
  eos_token_id: v.exactOptional(v.nullable(v.union([token, v.array(token)]))),
});

/** A Llama in a folder of its files: what it is, how it reads and writes, and where its numbers are. Nothing changes it. */
export class LoadedModel {
  readonly folder: string;
  readonly config: ModelConfig;
  readonly tokenizer: HfTokenizer;
  readonly chat: ChatTemplate;
  /** Tokens that end an answer. */
  readonly ends: ReadonlySet<number>;
  /** Its tensors, by the names of `language-model`: read from the files when they are asked for. */
  readonly weights: WeightSource;
  readonly #files: WeightFiles;

  constructor(parts: Omit<LoadedModel, "weights" | "close" | "chatTokens">, files: WeightFiles) {
    this.folder = parts.folder;
    this.config = parts.config;
    this.tokenizer = parts.tokenizer;
    this.chat = parts.chat;
    this.ends = parts.ends;
    this.#files = files;
    this.weights = { floats: async (name, shape) => await files.floats(llamaName(name), shape) };
  }

  /** A question as the model reads it, up to where its answer begins. @throws {LoraError} as `ChatTemplate.question` */
  chatTokens(prompt: string): Int32Array {
    return this.tokenizer.encodeMarked(this.chat.question(prompt));
  }

  async close(): Promise<void> {
    await this.#files.close();
  }
}

/**
 * Open a model as Hugging Face's transformers keeps it: `config.json`, `tokenizer.json`, `tokenizer_config.json`, and its
 * weights in F32, F16 or BF16. Weights stay in their files until a program takes them.
 *
 * @throws {LoraError} `bad-model`, `unsupported-model`, `bad-template`; {LanguageModelError} `bad-tokenizer`,
 * `bad-safetensors`, `truncated`
 */
export async function loadModelFolder(folder: string): Promise<LoadedModel> {
  if (!(await statIfThere(folder))?.isDirectory()) throw badModel(folder, "it is no folder");
  const config = readLlamaConfig(await readJson(folder, CONFIG_FILE), join(folder, CONFIG_FILE));
  const { tokenizerFile, tokenizerConfig } = await readTokenizerFiles(folder);
  const tokenizer = new HfTokenizer(tokenizerFile);
  // Some tables have more rows than there are tokens; with fewer, some tokens would have none.
  if (tokenizer.vocabulary > config.model.vocabulary) {
    const problem = `its tokenizer has ${tokenizer.vocabulary} tokens, and its table ${config.model.vocabulary} rows`;
    throw badModel(folder, problem);
  }
  const chat = new ChatTemplate(tokenizerConfig, join(folder, TOKENIZER_CONFIG_FILE), tokenizer);
  const ends = new Set([
    ...config.ends,
    ...(await generationEnds(folder)),
    ...(chat.end === undefined ? [] : [chat.end]),
  ]);
  // A model that never learned where an answer ends has at least where a document does.
  if (ends.size === 0) ends.add(tokenizer.bos);
  const beyond = [...ends].find((id) => id >= config.model.vocabulary);
  if (beyond !== undefined) throw badModel(folder, `its end is token ${beyond}, of ${config.model.vocabulary}`);
  const files = await WeightFiles.open(folder);
  const absent = parameterSpecs(config.model).find(({ name }) => !files.has(llamaName(name)));
  if (absent !== undefined) {
    await files.close();
    throw badModel(folder, `it has no tensor ${llamaName(absent.name)}`);
  }
  return new LoadedModel({ folder, config: config.model, tokenizer, chat, ends }, files);
}

/** `tokenizer_config.json`, with the template in it that newer models have in a file of its own. */
async function readTokenizerConfig(folder: string): Promise<object> {
  const hasConfig = (await statIfThere(join(folder, TOKENIZER_CONFIG_FILE))) !== undefined;
  const config = hasConfig ? await readObject(folder, TOKENIZER_CONFIG_FILE) : {};
  const path = join(folder, TEMPLATE_FILE);
  const hasTemplate = (await statIfThere(path)) !== undefined;
  return hasTemplate ? { ...config, chat_template: await readFile(path, "utf8") } : config;
}

/** What a copy of a model has of its tokenizer. @throws {LoraError} `bad-model` */
export async function readTokenizerFiles(folder: string): Promise<{ tokenizerFile: object; tokenizerConfig: object }> {
  const tokenizerFile = await readObject(folder, TOKENIZER_FILE);
  return { tokenizerFile, tokenizerConfig: await readTokenizerConfig(folder) };
}

async function readObject(folder: string, name: string): Promise<object> {
  const json = await readJson(folder, name);
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw badModel(folder, `${name} is no object`);
  return json;
}

async function generationEnds(folder: string): Promise<number[]> {
  if ((await statIfThere(join(folder, GENERATION_FILE))) === undefined) return [];
  const { output, issues } = v.safeParse(generationSchema, await readJson(folder, GENERATION_FILE));
  if (issues !== undefined) throw badModel(folder, `${GENERATION_FILE}: ${issues[0].message}`);
  return output.eos_token_id == null ? [] : [output.eos_token_id].flat();
}
