import * as v from "valibot";
import { modelSchema } from "./model-config.ts";
import { DOCUMENT_KINDS } from "./text-split.ts";

const count = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const rate = v.pipe(v.number(), v.minValue(0), v.finite());
const beta = v.pipe(v.number(), v.minValue(0), v.ltValue(1));

const MOST_STEPS = 1e9;
const MOST_ROWS = 65_536;
const MOST_SHARDS = 64;
/** Parts that a batch is cut into where it can be and nobody says otherwise: as many as a laptop has cores to spare. */
const USUAL_SHARDS = [4, 3, 2];

/** What a model is trained on. */
const dataSchema = v.strictObject({
  /** `hf`: the tokenizer.json that is given beside the text. */
  tokenizer: v.optional(v.picklist(["char", "byte", "hf"]), "char"),
  /** `crops`: rows from anywhere, as nanoGPT does; `best-fit`: whole documents packed into rows, as nanochat does. */
  packing: v.optional(v.picklist(["crops", "best-fit"]), "crops"),
  /** What a document is, where they are packed. */
  documents: v.optional(v.picklist(DOCUMENT_KINDS), "paragraphs"),
  /** Share of the text that is trained on; the rest judges. */
  trainShare: v.optional(v.pipe(share, v.gtValue(0), v.ltValue(1)), 0.9),
  /** Rows of a batch, B. */
  rows: v.optional(count(1, MOST_ROWS), 12),
  /** Equal parts of a batch, computed by themselves, on as many threads at most; see `shardsOf`. */
  shards: v.exactOptional(count(1, MOST_SHARDS)),
});

/** How fast it learns, step by step. */
const scheduleSchema = v.strictObject({
  kind: v.optional(v.picklist(["cosine", "trapezoid", "constant"]), "cosine"),
  /** Steps over which rates rise. */
  warmup: v.optional(count(0, MOST_STEPS), 100),
  /** Share of all steps over which rates fall at the end, of `trapezoid`. */
  warmdown: v.optional(share, 0.65),
  /** What of the rates is left at the end. */
  finalShare: v.optional(share, 0.1),
});

/** Who changes the weights. */
const optimizerSchema = v.strictObject({
  /** `adamw`: one rate for all. `muon`: Muon for matrices and AdamW for the rest, with nanochat's rates and their scaling. */
  kind: v.optional(v.picklist(["adamw", "muon"]), "adamw"),
  /** Of AdamW; of Muon's matrices. */
  learningRate: v.optional(rate, 1e-3),
  /** Of AdamW; with Muon, of gains alone: tables and head have nanochat's. */
  beta1: v.optional(beta, 0.9),
  beta2: v.optional(beta, 0.99),
  eps: v.optional(v.pipe(rate, v.gtValue(0)), 1e-8),
  weightDecay: v.optional(rate, 0.1),
  /** The gradient's length at most, over all parameters; 0: as long as it is. */
  clip: v.optional(rate, 1),
});

/** A run as a configuration file describes it: YAML or JSON; what is left out has the defaults. */
export const runSchema = v.strictObject({
  /** `scalar`: number by number, to be read; `tensor`: to be used. */
  engine: v.optional(v.picklist(["tensor", "scalar"]), "tensor"),
  model: v.optional(modelSchema, {}),
  data: v.optional(dataSchema, {}),
  schedule: v.optional(scheduleSchema, {}),
  optimizer: v.optional(optimizerSchema, {}),
  steps: v.optional(count(1, MOST_STEPS), 2000),
  /** Steps from one evaluation, with a checkpoint in front of it, to the next. */
  evalEvery: v.optional(count(1, MOST_STEPS), 250),
  /** Batches that an evaluation takes from each part of the text. */
  evalBatches: v.optional(count(1, MOST_STEPS), 20),
  /** One number that all chance comes from. */
  seed: v.optional(count(0, 2 ** 32 - 1), 1337),
});

/** As {@link runSchema} takes it, with all defaults in. */
export type RunConfig = v.InferOutput<typeof runSchema>;
export type ScheduleConfig = RunConfig["schedule"];
export type OptimizerConfig = RunConfig["optimizer"];

/** Parts of a batch. How gradients are rounded depends on them, and not on how many threads there are. */
export function shardsOf({ data }: RunConfig): number {
  return data.shards ?? USUAL_SHARDS.find((shards) => data.rows % shards === 0) ?? 1;
}
