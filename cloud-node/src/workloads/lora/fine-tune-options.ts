import * as v from "valibot";
import { TARGET_MODULES } from "./llama-names.ts";
import { LoraError } from "./lora-error.ts";

const whole = (from: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(from), v.maxValue(most));
const rate = (most: number) => v.pipe(v.number(), v.minValue(0), v.maxValue(most));
const share = v.pipe(v.number(), v.minValue(0), v.ltValue(1));

/** Everything that a run of fine-tuning computes by, beside its model and its examples. */
export const fineTuneSchema = v.pipe(
  v.strictObject({
    /** Inner dimension of what is added to a matrix. */
    rank: v.optional(whole(1, 1024), 8),
    /** What is added is scaled by alpha / rank. */
    alpha: v.optional(v.pipe(v.number(), v.gtValue(0), v.finite()), 16),
    /** Share of what goes into the low-rank maps that is left out while they learn. */
    dropout: v.optional(share, 0),
    /** Which linear maps of every layer are adapted. */
    targets: v.optional(v.pipe(v.array(v.picklist(TARGET_MODULES)), v.minLength(1)), [...TARGET_MODULES]),
    iterations: v.optional(whole(1, 1_000_000), 100),
    /** Examples of a batch. */
    batch: v.optional(whole(1, 4096), 8),
    /** Batches of a step. */
    accumulate: v.optional(whole(1, 4096), 1),
    /** Parts of a batch that are computed by themselves, each on a thread where there are as many; see `shardsOf`. */
    shards: v.exactOptional(whole(1, 64)),
    learningRate: v.optional(rate(10), 2e-3),
    /** Steps in which the rate rises; then it falls by half a wave of a cosine. */
    warmup: v.optional(whole(0, 1_000_000), 5),
    /** Of the rate, at the last step. */
    finalShare: v.optional(rate(1), 0.1),
    weightDecay: v.optional(rate(10), 0),
    /** Gradients longer than this are shortened to it. */
    clip: v.optional(v.pipe(v.number(), v.gtValue(0), v.finite()), 1),
    seed: v.optional(whole(0, Number.MAX_SAFE_INTEGER), 1337),
    /** Steps from one look at the validation examples to the next. */
    evaluateEvery: v.optional(whole(1, 1_000_000), 10),
    /** Tokens of an example at most; those of the model unless given. */
    mostTokens: v.exactOptional(whole(8, 1 << 20)),
  }),
  v.check(({ batch, shards = 1 }) => batch % shards === 0, "batch must be a multiple of shards"),
);

export type FineTuneOptions = v.InferOutput<typeof fineTuneSchema>;

/** Parts of a batch: two, for the two cores that every machine has, unless it says otherwise or cannot be halved. */
export function shardsOf({ shards, batch }: FineTuneOptions): number {
  return shards ?? (batch % 2 === 0 ? 2 : 1);
}

/** Options with defaults where nothing is said. @throws {LoraError} `bad-option` */
export function parseFineTuneOptions(options: unknown): FineTuneOptions {
  const { output, issues } = v.safeParse(fineTuneSchema, options);
  if (issues === undefined) return output;
  const place = v.getDotPath(issues[0]) ?? "options of training";
  throw new LoraError("bad-option", `${place}: ${issues[0].message}`, "see `lockstep lora train --help`");
}
