import type { ShardedBackend } from "../language-model/open-backend.ts";
import { readAdapter } from "./adapter-file.ts";
import { ConditionalMemory } from "./conditional-memory.ts";
import { type EvaluationOptions, evaluate } from "./evaluate.ts";
import type { Example, Pattern } from "./example.ts";
import { Generator } from "./generator.ts";
import { LoraError } from "./lora-error.ts";
import { type LoadedModel, loadModelFolder } from "./model-folder.ts";
import type { EvaluationResult } from "./result-file.ts";

/** The one adapter that is loaded. */
export const ADAPTER = "adapter";
/** Answers are as long as the longest one that is wanted, and some tokens more: a wrong one may go on. */
const SPARE_TOKENS = 4;

/** What is asked, and of whom. */
export interface ModelQuestions extends Omit<EvaluationOptions, "maxTokens" | "adjustFor"> {
  readonly label: string;
  /** Folders. */
  readonly model: string;
  readonly adapter?: string | undefined;
  /** Patterns that a conditional memory is made of; none unless given. */
  readonly memory?: readonly Pattern[] | undefined;
  readonly examples: readonly Example[];
  /** Of one shard. */
  readonly backend: ShardedBackend;
  /** Monotonic, ms. */
  readonly nowMs: () => number;
}

/** Ask a model from its folder, with or without an adapter and a memory. @throws {LoraError}; {LanguageModelError} */
export async function evaluateModel(request: ModelQuestions): Promise<EvaluationResult> {
  const { label, model: folder, adapter, memory, examples, backend, nowMs, ...options } = request;
  const model = await loadModelFolder(folder);
  try {
    const generator = await openGenerator(model, backend, adapter, nowMs);
    try {
      const recalled = memory === undefined ? undefined : memoryOf(model, memory);
      const evaluation = await evaluate(generator, examples, {
        ...options,
        maxTokens: longestAnswer(model, examples) + SPARE_TOKENS,
        ...(recalled === undefined ? {} : { adjustFor: (prompt: string) => recalled.adjustFor(prompt) }),
      });
      return { label, model: folder, adapter: adapter ?? null, hasMemory: memory !== undefined, evaluation };
    } finally {
      generator.close();
    }
  } finally {
    await model.close();
  }
}

/** A model that answers, its adapter active where there is one. */
export async function openGenerator(
  model: LoadedModel,
  backend: ShardedBackend,
  adapter: string | undefined,
  nowMs: () => number,
): Promise<Generator> {
  const adapters = adapter === undefined ? undefined : new Map([[ADAPTER, await readAdapter(adapter, model.config)]]);
  const generator = await Generator.create(model, backend, { adapters, nowMs });
  if (adapter !== undefined) generator.use(ADAPTER);
  return generator;
}

/** @throws {LoraError} `too-few-patterns` where no pattern is of a table */
export function memoryOf({ tokenizer, ends }: LoadedModel, patterns: readonly Pattern[]): ConditionalMemory {
  if (!patterns.some(({ lookup }) => lookup !== undefined)) {
    const remedy = "give patterns with `tables`, such as lookups";
    throw new LoraError("too-few-patterns", "there is no table for the memory", remedy);
  }
  const [end = tokenizer.bos] = ends;
  return new ConditionalMemory(patterns, tokenizer, end);
}

function longestAnswer({ tokenizer }: LoadedModel, examples: readonly Example[]): number {
  return examples.reduce((most, { answer }) => Math.max(most, tokenizer.encode(answer).length), 1);
}
