import * as v from "valibot";
import { BACKEND_CHOICES } from "../language-model/open-backend.ts";

/** More threads than these no machine has cores for. */
const MOST_THREADS = 256;
const whole = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));

/** What a job takes; of training what is left out is `fine-tune-options.ts`'s. */
export const paramsSchema = v.strictObject({
  iterations: v.exactOptional(whole(1, 1_000_000)),
  rank: v.exactOptional(whole(1, 1024)),
  learningRate: v.exactOptional(v.pipe(v.number(), v.gtValue(0), v.maxValue(10))),
  batch: v.exactOptional(whole(1, 4096)),
  seed: v.optional(whole(0, 2 ** 32 - 1), 1337),
  /** Of each wording, beside itself. */
  variants: v.optional(whole(0, 100), 1),
  /** Prompts of the test that are asked; all unless given. */
  prompts: v.exactOptional(whole(1, 1_000_000)),
  backend: v.optional(v.picklist(BACKEND_CHOICES), BACKEND_CHOICES[0]),
  threads: v.optional(whole(1, MOST_THREADS), 1),
});

const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const positive = v.pipe(v.number(), v.finite(), v.minValue(0));

/** What it gives, beside its outputs. */
export const resultSchema = v.strictObject({
  /** Exact answers to prompts that training never had. */
  before: share,
  after: share,
  /** Of what lies between, 95 % by bootstrap. */
  gainLow: v.number(),
  gainHigh: v.number(),
  steps: v.pipe(positive, v.integer()),
  seconds: positive,
  trainableShare: share,
  /** Nats a token. */
  validationLossBefore: positive,
  validationLossAfter: positive,
});

export type LoraParams = v.InferOutput<typeof paramsSchema>;
export type LoraResult = v.InferOutput<typeof resultSchema>;
