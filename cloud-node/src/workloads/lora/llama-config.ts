import * as v from "valibot";
import { type ModelConfig, modelSchema, settleModel } from "../language-model/model-config.ts";
import { RMS_NORM_EPS } from "../language-model/scalar-network.ts";
import { LoraError } from "./lora-error.ts";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const token = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const ropeSchema = v.looseObject({
  rope_type: v.optional(v.string(), "default"),
  rope_theta: v.exactOptional(v.number()),
});

/** What is read of a `config.json`; with Hugging Face's defaults where a file may leave something out. */
const fileSchema = v.looseObject({
  model_type: v.string(),
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: v.exactOptional(v.nullable(count)),
  head_dim: v.exactOptional(v.nullable(count)),
  vocab_size: count,
  max_position_embeddings: v.optional(count, 2048),
  rms_norm_eps: v.optional(v.number(), 1e-6),
  rope_theta: v.exactOptional(v.number()),
  /** Since transformers 5 it has the base too. */
  rope_parameters: v.exactOptional(v.nullable(ropeSchema)),
  rope_scaling: v.exactOptional(v.nullable(ropeSchema)),
  tie_word_embeddings: v.optional(v.boolean(), false),
  hidden_act: v.optional(v.string(), "silu"),
  attention_bias: v.optional(v.boolean(), false),
  mlp_bias: v.optional(v.boolean(), false),
  eos_token_id: v.exactOptional(v.nullable(v.union([token, v.array(token)]))),
});

/** A Llama's `config.json`, understood. */
export interface LlamaConfig {
  readonly model: ModelConfig;
  /** Tokens that end an answer, as far as the file says. */
  readonly ends: readonly number[];
}

/**
 * @param file  its name, for errors
 * @throws {LoraError} `bad-model` for what is no configuration, `unsupported-model` for one that computes otherwise
 */
export function readLlamaConfig(json: unknown, file: string): LlamaConfig {
  const { output, issues } = v.safeParse(fileSchema, json);
  if (issues !== undefined) throw badConfig(file, issues[0]);
  const other = difference(output);
  if (other !== undefined) {
    const remedy = "give a Llama with RMSNorm, plain RoPE, SwiGLU and no biases, as SmolLM is";
    throw new LoraError("unsupported-model", `${file}: ${other}`, remedy);
  }
  const options = v.safeParse(modelSchema, {
    layers: output.num_hidden_layers,
    heads: output.num_attention_heads,
    kvHeads: output.num_key_value_heads ?? output.num_attention_heads,
    width: output.hidden_size,
    hidden: output.intermediate_size,
    context: output.max_position_embeddings,
    ...{ norm: "rms", normEps: output.rms_norm_eps, activation: "swiglu" },
    ...{ positions: "rope", ropeTheta: output.rope_parameters?.rope_theta ?? output.rope_theta ?? 10_000 },
    tied: output.tie_word_embeddings,
  });
  if (options.issues !== undefined) throw badConfig(file, options.issues[0]);
  const { eos_token_id: ends } = output;
  return { model: settleModel(options.output, output.vocab_size), ends: ends == null ? [] : [ends].flat() };
}

/** What the model does that this program does not. */
function difference(file: v.InferOutput<typeof fileSchema>): string | undefined {
  const { model_type: type, hidden_act: activation, head_dim: head, hidden_size: width } = file;
  const heads = file.num_attention_heads;
  const scaling = file.rope_parameters ?? file.rope_scaling;
  if (type !== "llama") return `a model of type ${JSON.stringify(type)}`;
  if (activation !== "silu") return `hidden_act is ${JSON.stringify(activation)}`;
  if (file.attention_bias || file.mlp_bias) return "its linear maps have biases";
  if (scaling != null && scaling.rope_type !== "default") return `positions are scaled by ${scaling.rope_type}`;
  if (head != null && head * heads !== width) return `${heads} heads of ${head} channels beside a width of ${width}`;
  return undefined;
}

/** Mirror of `readLlamaConfig`, for float32. @throws {LoraError} `unsupported-model` for what is no Llama */
export function writeLlamaConfig(model: ModelConfig, ends: readonly number[]): object {
  const { kind, norm, activation, positions, qkNorm, embeddingNorm, softcap } = model;
  const isLlama = kind === "gpt" && norm === "rms" && activation === "swiglu" && positions === "rope";
  if (!isLlama || qkNorm !== 0 || embeddingNorm || softcap !== 0) {
    const remedy =
      "train one with norm=rms, activation=swiglu, positions=rope, and without qkNorm, embeddingNorm, softcap";
    throw new LoraError("unsupported-model", "the model is no Llama", remedy);
  }
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: model.width,
    intermediate_size: model.hidden,
    num_hidden_layers: model.layers,
    num_attention_heads: model.heads,
    num_key_value_heads: model.kvHeads,
    head_dim: model.headWidth,
    vocab_size: model.vocabulary,
    max_position_embeddings: model.context,
    rms_norm_eps: model.normEps ?? RMS_NORM_EPS,
    rope_theta: model.ropeTheta,
    tie_word_embeddings: model.tied,
    hidden_act: "silu",
    ...{ attention_bias: false, mlp_bias: false },
    ...(ends.length > 0 && { eos_token_id: ends.length === 1 ? ends[0] : ends }),
    torch_dtype: "float32",
  };
}

function badConfig(file: string, issue: v.BaseIssue<unknown>): LoraError {
  const place = v.getDotPath(issue);
  const problem = `${file}${place === null ? "" : `, ${place}`}: ${issue.message}`;
  return new LoraError("bad-model", problem, "give a folder as Hugging Face's transformers writes one");
}
