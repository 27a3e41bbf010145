import * as v from "valibot";
import type { JsonObject } from "../../jobs/job.ts";
import { BACKEND_CHOICES } from "./open-backend.ts";
import { RECIPES } from "./recipes.ts";

/** More threads than these no machine has cores for. */
const MOST_THREADS = 256;

/** What a job of language models takes. */
export const paramsSchema = v.strictObject({
  /** A run that is known by name; `nanogpt-cpu` unless given, or where there is a `config`. */
  recipe: v.exactOptional(v.picklist(Object.keys(RECIPES))),
  /** Options as a run's `config.json` has them. */
  config: v.exactOptional(v.custom<JsonObject>(isObject, "write options as a run's config.json has them")),
  /** Single options, such as "model.width=64". */
  set: v.optional(v.array(v.string()), []),
  backend: v.optional(v.picklist(BACKEND_CHOICES), BACKEND_CHOICES[0]),
  /** Of the tensor engine. */
  threads: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MOST_THREADS)), 1),
});

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(v.number(), v.finite(), v.minValue(0));

/** What it gives, beside the run's files as its outputs. */
export const resultSchema = v.strictObject({
  parameters: count,
  vocabulary: count,
  steps: count,
  tokens: count,
  seconds: positive,
  tokensPerSecond: positive,
  /** At the last evaluation: nats, and bits for each byte. */
  trainLoss: positive,
  valLoss: positive,
  valBitsPerByte: positive,
  /** Where it foresaw best. */
  bestStep: count,
  bestLoss: positive,
});

export type LanguageModelParams = v.InferOutput<typeof paramsSchema>;
export type LanguageModelResult = v.InferOutput<typeof resultSchema>;

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
