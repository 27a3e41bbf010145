import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/** SmolLM-135M-Instruct's `config.json`. */
const CONFIG = {
  architectures: ["LlamaForCausalLM"],
  ...{ model_type: "llama", hidden_act: "silu", torch_dtype: "bfloat16", initializer_range: 0.02 },
  ...{ hidden_size: 576, intermediate_size: 1536, num_attention_heads: 9, num_key_value_heads: 3 },
  ...{ num_hidden_layers: 30, max_position_embeddings: 2048, vocab_size: 49_152 },
  ...{ rms_norm_eps: 1e-5, rope_theta: 10_000, rope_scaling: null, tie_word_embeddings: true },
  ...{ attention_bias: false, attention_dropout: 0, bos_token_id: 1, eos_token_id: 2, pad_token_id: 2 },
} as const;
const SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] as const;
const TEMPLATE =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/** Bits of so many random numbers are drawn; tensors have them again and again. */
const DRAWN = 65_521;
/** bfloat16 of 1. */
const ONE = 0x3f80;

/**
 * Write a model with SmolLM-135M's names, shapes and types, random weights and a tokenizer of as many tokens; without any
 * code of the package that is to read it.
 *
 * @param layers  30 of the real one
 */
export function writeSmolLm(folder: string, layers: number): void {
  mkdirSync(folder, { recursive: true });
  const writeJson = (name: string, json: object) => writeFileSync(join(folder, name), JSON.stringify(json));
  writeJson("config.json", { ...CONFIG, num_hidden_layers: layers });
  writeJson("tokenizer_config.json", { bos_token: SPECIAL[1], eos_token: SPECIAL[2], chat_template: TEMPLATE });
  writeJson("tokenizer.json", tokenizer());
  const tensors = shapesOf(layers);
  let end = 0;
  const header: Record<string, object> = {};
  for (const [name, shape] of tensors) {
    const bytes = 2 * shape.reduce((product, n) => product * n, 1);
    header[name] = { dtype: "BF16", shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = openSync(join(folder, "model.safetensors"), "w");
  writeSync(file, length);
  writeSync(file, json);
  for (const [, shape] of tensors) writeSync(file, numbers(shape));
  closeSync(file);
}

function shapesOf(layers: number): (readonly [name: string, shape: readonly number[]])[] {
  const { hidden_size: width, intermediate_size: inner, vocab_size: vocabulary } = CONFIG;
  const narrow = (width / CONFIG.num_attention_heads) * CONFIG.num_key_value_heads;
  const layer = [
    ["input_layernorm", [width]],
    ["mlp.down_proj", [width, inner]],
    ["mlp.gate_proj", [inner, width]],
    ["mlp.up_proj", [inner, width]],
    ["post_attention_layernorm", [width]],
    ["self_attn.k_proj", [narrow, width]],
    ["self_attn.o_proj", [width, width]],
    ["self_attn.q_proj", [width, width]],
    ["self_attn.v_proj", [narrow, width]],
  ] as const;
  return [
    ["model.embed_tokens.weight", [vocabulary, width]],
    ...Array.from({ length: layers }, (_, at) =>
      layer.map(([name, shape]) => [`model.layers.${at}.${name}.weight`, shape] as const),
    ).flat(),
    ["model.norm.weight", [width]],
  ];
}

/** bfloat16 of uniform numbers with deviation 0.02; gains are 1. */
function numbers(shape: readonly number[]): Buffer {
  const halves = new Uint16Array(shape.reduce((product, n) => product * n, 1));
  if (shape.length === 1) return Buffer.from(halves.fill(ONE).buffer);
  const bound = CONFIG.initializer_range * Math.sqrt(3);
  let state = halves.length;
  const drawn = Float32Array.from({ length: Math.min(DRAWN, halves.length) }, () => {
    // xorshift32: any numbers will do.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return bound * (2 * ((state >>> 0) / 2 ** 32) - 1);
  });
  halves.set(Uint16Array.from(new Uint32Array(drawn.buffer), (bits) => bits >>> 16));
  for (let at = DRAWN; at < halves.length; at *= 2) halves.copyWithin(at, 0, Math.min(at, halves.length - at));
  return Buffer.from(halves.buffer);
}

/** Byte-level BPE with a token for every byte, and pairs of them up to the count of tokens. */
function tokenizer(): object {
  let beyond = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(isPrintable ? byte : beyond++);
  });
  const pairs = bytes.flatMap((first) => bytes.map((second) => [first, second] as const));
  const merges = pairs.slice(0, CONFIG.vocab_size - SPECIAL.length - bytes.length);
  const tokens = [...SPECIAL, ...bytes, ...merges.map((pair) => pair.join(""))];
  return {
    version: "1.0",
    added_tokens: SPECIAL.map((content, id) => ({ id, content, special: true, normalized: false })),
    ...{ normalizer: null, post_processor: null },
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges },
  };
}
