import { sizeOf } from "../../tensor/tensor.ts";
import type { ModelConfig } from "./model-config.ts";

/** How a tensor's values begin. */
export type Beginning =
  | { readonly kind: "normal"; readonly deviation: number }
  | { readonly kind: "uniform"; readonly limit: number }
  | { readonly kind: "constant"; readonly value: number };

/** What the optimizer is to know of a tensor: each group has rates of its own. */
export type ParameterGroup = "matrix" | "embedding" | "head" | "gain";

/** One trained tensor, row-major. */
export interface ParameterSpec {
  readonly name: string;
  /** Of a linear map (outputs, inputs); of a table (rows, channels); of a gain (channels). */
  readonly shape: readonly number[];
  readonly beginning: Beginning;
  readonly group: ParameterGroup;
}

/** nanoGPT's deviation of everything, which on the way back to the residual stream is divided by √(2 layers). */
const NANOGPT_DEVIATION = 0.02;
/** nanochat's: of the head, so that a model begins with nearly equal probabilities, and of the table. */
const NANOCHAT_HEAD_DEVIATION = 0.001;
const NANOCHAT_TABLE_DEVIATION = 0.8;
/** Its way up in the feed-forward part begins so much smaller than other matrices. */
const NANOCHAT_UP_SHARE = 0.4;

/**
 * Every trained tensor of a model, in the order in which it uses them, by the names that nanoGPT and nanochat give them.
 *
 * @see A. Karpathy, nanoGPT, `model.py`, and nanochat, `nanochat/gpt.py`
 */
export function parameterSpecs(config: ModelConfig): ParameterSpec[] {
  const { kind, vocabulary, width, context, layers, positions, tied, norm } = config;
  const table = beginningOf(config, "table");
  if (kind === "bigram") {
    return [{ name: "bigram.weight", shape: [vocabulary, vocabulary], beginning: table, group: "embedding" }];
  }
  const gain = (name: string): ParameterSpec[] =>
    norm === "layer" || norm === "rms"
      ? [{ name, shape: [width], beginning: { kind: "constant", value: 1 }, group: "gain" }]
      : [];
  const specs: ParameterSpec[] = [
    { name: "transformer.wte.weight", shape: [vocabulary, width], beginning: table, group: "embedding" },
  ];
  if (positions === "learned") {
    specs.push({ name: "transformer.wpe.weight", shape: [context, width], beginning: table, group: "embedding" });
  }
  for (let layer = 0; layer < layers; layer += 1) specs.push(...layerSpecs(config, layer, gain));
  specs.push(...gain("transformer.ln_f.weight"));
  if (!tied) {
    const beginning = beginningOf(config, "head");
    specs.push({ name: "lm_head.weight", shape: [vocabulary, width], beginning, group: "head" });
  }
  return specs;
}

function layerSpecs(config: ModelConfig, layer: number, gain: (name: string) => ParameterSpec[]): ParameterSpec[] {
  const { width, heads, kvHeads, headWidth, hidden, activation } = config;
  const matrix = (name: string, outputs: number, inputs: number, role: Role): ParameterSpec => ({
    name: `transformer.h.${layer}.${name}.weight`,
    shape: [outputs, inputs],
    beginning: beginningOf(config, role),
    group: "matrix",
  });
  return [
    ...gain(`transformer.h.${layer}.ln_1.weight`),
    matrix("attn.c_q", heads * headWidth, width, "inner"),
    matrix("attn.c_k", kvHeads * headWidth, width, "inner"),
    matrix("attn.c_v", kvHeads * headWidth, width, "inner"),
    matrix("attn.c_proj", width, heads * headWidth, "back"),
    ...gain(`transformer.h.${layer}.ln_2.weight`),
    ...(activation === "swiglu" ? [matrix("mlp.c_gate", hidden, width, "inner")] : []),
    matrix("mlp.c_fc", hidden, width, "up"),
    matrix("mlp.c_proj", width, hidden, "back"),
  ];
}

type Role = "table" | "inner" | "up" | "back" | "head";

function beginningOf({ init, width, layers }: ModelConfig, role: Role): Beginning {
  if (init === "nanogpt") {
    return {
      kind: "normal",
      deviation: role === "back" ? NANOGPT_DEVIATION / Math.sqrt(2 * layers) : NANOGPT_DEVIATION,
    };
  }
  if (role === "back") return { kind: "constant", value: 0 };
  // The same deviation as a normal distribution of 1/√width has.
  const limit = Math.sqrt(3 / width);
  if (role === "inner") return { kind: "uniform", limit };
  if (role === "up") return { kind: "uniform", limit: NANOCHAT_UP_SHARE * limit };
  return { kind: "normal", deviation: role === "head" ? NANOCHAT_HEAD_DEVIATION : NANOCHAT_TABLE_DEVIATION };
}

/** Trained numbers of a model in all. */
export function parameterCount(config: ModelConfig): number {
  return parameterSpecs(config).reduce((total, { shape }) => total + sizeOf(shape), 0);
}
