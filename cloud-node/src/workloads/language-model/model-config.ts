import * as v from "valibot";

const size = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most));

/** Larger than any model that a machine for which this is meant can train: a slip of the pen is caught here. */
const MOST_LAYERS = 1024;
const MOST_WIDTH = 65_536;
const MOST_CONTEXT = 1 << 20;

/** What a model is made of, apart from its vocabulary. */
export const modelSchema = v.pipe(
  v.strictObject({
    /** `bigram`: a table of what follows what; `gpt`: a transformer. */
    kind: v.optional(v.picklist(["bigram", "gpt"]), "gpt"),
    layers: v.optional(size(MOST_LAYERS), 4),
    heads: v.optional(size(MOST_WIDTH), 4),
    /** Heads of keys and values, each shared by heads / kvHeads of queries; as many as heads unless given. */
    kvHeads: v.exactOptional(size(MOST_WIDTH)),
    /** Channels of the residual stream. */
    width: v.optional(size(MOST_WIDTH), 128),
    /** Channels inside the feed-forward part; four times the width unless given. */
    hidden: v.exactOptional(size(4 * MOST_WIDTH)),
    /** Tokens that a prediction can look back on, T. */
    context: v.optional(size(MOST_CONTEXT), 64),
    /** `rms-plain` has no weights. */
    norm: v.optional(v.picklist(["none", "layer", "rms", "rms-plain"]), "layer"),
    /** Added to the mean square of an RMS norm; PyTorch's, 2^-23, unless given. */
    normEps: v.exactOptional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1))),
    activation: v.optional(v.picklist(["gelu", "relu2", "swiglu"]), "gelu"),
    positions: v.optional(v.picklist(["learned", "rope"]), "learned"),
    ropeTheta: v.optional(v.pipe(v.number(), v.minValue(1), v.finite()), 10_000),
    /** Queries and keys are normalized without weights, and multiplied by this; 0: they are not. */
    qkNorm: v.optional(v.pipe(v.number(), v.minValue(0), v.finite()), 0),
    /** The token's vector is normalized before the first layer. */
    embeddingNorm: v.optional(v.boolean(), false),
    /** Logits become c tanh(logit / c); 0: they stay. */
    softcap: v.optional(v.pipe(v.number(), v.minValue(0), v.finite()), 0),
    /** The head is the table of tokens. */
    tied: v.optional(v.boolean(), true),
    /** Share left out while training, as nanoGPT does: of the embedding, attention weights, and what each part of a layer adds. */
    dropout: v.optional(v.pipe(v.number(), v.minValue(0), v.ltValue(1)), 0),
    /** How weights begin: see `parameters.ts`. */
    init: v.optional(v.picklist(["nanogpt", "nanochat"]), "nanogpt"),
  }),
  v.check(({ width, heads }) => width % heads === 0, "width must be a multiple of heads"),
  v.check(({ heads, kvHeads = heads }) => heads % kvHeads === 0, "heads must be a multiple of kvHeads"),
  v.check(
    ({ positions, width, heads }) => positions === "learned" || (width / heads) % 2 === 0,
    "rope turns pairs of channels: width / heads must be even",
  ),
);

/** As {@link modelSchema} takes it, with all defaults in. */
export type ModelOptions = v.InferOutput<typeof modelSchema>;

/** A model with everything settled that its weights' shapes depend on. */
export interface ModelConfig extends ModelOptions {
  readonly vocabulary: number;
  readonly kvHeads: number;
  readonly hidden: number;
  /** Channels of a head. */
  readonly headWidth: number;
}

/** @param vocabulary  number of tokens, ≥ 1 */
export function settleModel(options: ModelOptions, vocabulary: number): ModelConfig {
  const { heads, width, kvHeads = heads, hidden = 4 * width } = options;
  return { ...options, kvHeads, hidden, headWidth: width / heads, vocabulary };
}
