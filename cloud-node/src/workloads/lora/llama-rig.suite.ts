import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RandomStream } from "../../tensor/random.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { parameterSpecs } from "../language-model/parameters.ts";
import { type ElementType, formatHeader } from "../language-model/safetensors-format.ts";
import { readLlamaConfig } from "./llama-config.ts";
import { llamaName } from "./llama-names.ts";

/** What SmolLM-135M's `config.json` has, but for its depth and its context. */
export const SMOLLM = {
  architectures: ["LlamaForCausalLM"],
  ...{ model_type: "llama", hidden_act: "silu", torch_dtype: "bfloat16" },
  ...{ hidden_size: 576, intermediate_size: 1536, num_attention_heads: 9, num_key_value_heads: 3 },
  ...{ vocab_size: 49_152, rms_norm_eps: 1e-5, rope_theta: 10_000, rope_scaling: null },
  ...{ tie_word_embeddings: true, attention_bias: false, bos_token_id: 1, eos_token_id: 2 },
} as const;

/** A model of the same kind, small enough for a test to train. */
export const TINY = {
  ...SMOLLM,
  ...{ hidden_size: 32, intermediate_size: 48, num_attention_heads: 4, num_key_value_heads: 2 },
  ...{ num_hidden_layers: 2, max_position_embeddings: 64, vocab_size: 320 },
};

/** ChatML, in the words in which SmolLM-Instruct's template has it. */
const CHAT_TEMPLATE =
  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
const SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] as const;

/** Folders of models that are written as transformers writes them, without this project's own writer. */
export class LlamaRig {
  readonly folder = mkdtempSync(join(tmpdir(), "lockstep-lora-"));

  path(name: string): string {
    return join(this.folder, name);
  }

  /**
   * A model with drawn weights.
   *
   * @param type  of its numbers
   * @param shards  files that hold them; with an index where there are several
   * @returns its folder
   */
  write(
    name: string,
    config: Readonly<Record<string, unknown>>,
    type: "F32" | "F16" | "BF16" = "F32",
    shards = 1,
  ): string {
    const folder = this.path(name);
    mkdirSync(folder, { recursive: true });
    const { model } = readLlamaConfig(config, name);
    const writeJson = (file: string, json: object) => writeFileSync(join(folder, file), JSON.stringify(json));
    writeJson("config.json", config);
    writeJson("tokenizer.json", tokenizerFile(model.vocabulary));
    writeJson("tokenizer_config.json", {
      ...{ bos_token: "<|im_start|>", eos_token: "<|im_end|>", chat_template: CHAT_TEMPLATE },
      tokenizer_class: "GPT2Tokenizer",
    });
    const tensors = parameterSpecs(model).map(({ name: own, shape }) => ({ name: llamaName(own), shape, type }));
    const held = Array.from({ length: shards }, (_, shard) => tensors.filter((_, at) => at % shards === shard));
    const fileOf = (shard: number) =>
      shards === 1 ? "model.safetensors" : `model-${shard + 1}-of-${shards}.safetensors`;
    for (const [shard, part] of held.entries()) {
      const pieces = part.map(({ name: tensor, shape }) => encode(drawnNumbers(tensor, shape), type));
      writeFileSync(join(folder, fileOf(shard)), Buffer.concat([formatHeader(part, new Map()), ...pieces]));
    }
    if (shards > 1) {
      const places = held.flatMap((part, shard) => part.map((tensor) => [tensor.name, fileOf(shard)] as const));
      writeJson("model.safetensors.index.json", { metadata: {}, weight_map: Object.fromEntries(places) });
    }
    return folder;
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Drawn for a tensor; a longer one has them again and again. */
const DRAWN = 4093;

/**
 * Numbers of a tensor by its name, which every type holds exactly. Those of a matrix are small, and gains about 1; the last
 * gain is larger, so that a model with few channels can be certain of a token.
 */
export function drawnNumbers(name: string, shape: readonly number[]): Float32Array {
  const stream = new RandomStream(7, name);
  const middle = shape.length > 1 ? 0 : name === "model.norm.weight" ? 8 : 1;
  const step = Math.max(1, middle) / 128;
  const numbers = new Float32Array(sizeOf(shape));
  for (let i = 0; i < Math.min(DRAWN, numbers.length); i += 1) numbers[i] = middle + (stream.nextBelow(33) - 16) * step;
  for (let at = DRAWN; at < numbers.length; at += DRAWN)
    numbers.set(numbers.subarray(0, Math.min(DRAWN, numbers.length - at)), at);
  return numbers;
}

function encode(numbers: Float32Array, type: ElementType): Buffer {
  if (type === "F32") return Buffer.from(numbers.buffer);
  const halves = new Uint16Array(numbers.length);
  const bits = new Uint32Array(numbers.buffer);
  for (let i = 0; i < bits.length; i += 1) {
    const word = bits[i] as number;
    halves[i] = type === "BF16" ? word >>> 16 : halfOf(word);
  }
  return Buffer.from(halves.buffer);
}

/** binary16 of what it holds exactly. */
function halfOf(word: number): number {
  const exponent = ((word >>> 23) & 0xff) - 112;
  return ((word >>> 16) & 0x8000) | (exponent <= 0 ? 0 : (exponent << 10) | ((word >>> 13) & 0x3ff));
}

/** A byte-level BPE of any size: special tokens, a token for every byte, and pairs of those. */
function tokenizerFile(vocabulary: number): object {
  const bytes = byteCharacters();
  const tokens: string[] = [...SPECIAL, ...bytes];
  const merges: [string, string][] = [];
  for (const first of bytes) {
    for (const second of bytes) {
      if (tokens.length === vocabulary) break;
      tokens.push(first + second);
      merges.push([first, second]);
    }
  }
  return {
    version: "1.0",
    added_tokens: SPECIAL.map((content, id) => {
      return { id, content, special: true, single_word: false, lstrip: false, rstrip: false, normalized: false };
    }),
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      ...{ type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: false, byte_fallback: false },
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}

/** The printable character that stands for each byte in GPT-2's alphabet. */
function byteCharacters(): string[] {
  let beyond = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte > 32 && byte < 127) || (byte > 160 && byte < 173) || byte > 173;
    return String.fromCharCode(isPrintable ? byte : beyond++);
  });
}
