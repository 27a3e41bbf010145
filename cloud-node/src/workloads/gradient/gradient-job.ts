import * as v from "valibot";
import type { JsonObject } from "../../jobs/job.ts";
import { RECIPES } from "../language-model/recipes.ts";
import { PRESETS } from "./method.ts";

/** Beyond these a batch has no rows to cut. */
const MOST_WORKERS = 64;
/** A slip of the pen is caught here: the channel takes a worker that says nothing for gone long before. */
const MOST_PATIENCE_SECONDS = 600;

/** What a job that trains one model on several workers takes. */
export const paramsSchema = v.strictObject({
  /** A run that is known by name; `nanogpt-cpu` unless given, or where there is a `config`. */
  recipe: v.exactOptional(v.picklist(Object.keys(RECIPES))),
  /** Options as a run's `config.json` has them. */
  config: v.exactOptional(v.custom<JsonObject>(isObject, "write options as a run's config.json has them")),
  /** Single options, such as "model.width=64". */
  set: v.optional(v.array(v.string()), []),
  workers: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MOST_WORKERS)), 2),
  /** How what they send is compressed. */
  compress: v.optional(v.picklist(PRESETS), "none"),
  /** Which of the inputs is a mask, as `lockstep gradient calibrate` writes one; all tensors are sent in every round without. */
  mask: v.exactOptional(v.string()),
  /** Seconds that a step waits for the others once the own part is done. */
  patience: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(MOST_PATIENCE_SECONDS)), 10),
});

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(v.number(), v.finite(), v.minValue(0));

/** What `exchange.json` of a run has. */
export const exchangeSchema = v.strictObject({
  ...{ workers: count, compress: v.string(), parameters: count },
  /** Steps that were counted: those since this attempt began. */
  steps: count,
  rounds: count,
  /** Contributions that steps went on without. */
  missing: count,
  /** Of one worker in one step, averaged: what the method made, and what it took on the connection. */
  ...{ uplinkPayload: positive, uplinkWire: positive },
  /** Of one other worker in one step, averaged: what was in no round, since it came too late or says only how far it is. */
  uplinkOther: positive,
  /** 4 bytes of every parameter, over `uplinkWire`. */
  ratio: positive,
  /** To one worker in one step that it was sent, states of the model included. */
  downlinkWire: positive,
  /** All messages that came, and that were sent, over all steps. */
  ...{ uplinkTotal: count, downlinkTotal: count },
  seconds: positive,
  stepsPerSecond: positive,
});

/** What it gives, beside the run's files as its outputs; other places than 0 say only how far they came. */
export const resultSchema = v.variant("kind", [
  v.strictObject({
    kind: v.literal("trained"),
    ...{ parameters: count, vocabulary: count, steps: count, tokens: count, seconds: positive },
    ...{ trainLoss: positive, valLoss: positive, valBitsPerByte: positive, bestStep: count, bestLoss: positive },
    exchange: exchangeSchema,
  }),
  v.strictObject({ kind: v.literal("followed"), rank: count, rounds: count, missing: count }),
]);

export type GradientParams = v.InferOutput<typeof paramsSchema>;
export type GradientResult = v.InferOutput<typeof resultSchema>;
export type ExchangeSummary = v.InferOutput<typeof exchangeSchema>;

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
