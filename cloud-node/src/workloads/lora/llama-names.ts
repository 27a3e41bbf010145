/** Parts of a layer: the name that Hugging Face's Llama has for each, and the one of `language-model`. */
const LAYER_PARTS: readonly (readonly [llama: string, own: string])[] = [
  ["input_layernorm", "ln_1"],
  ["self_attn.q_proj", "attn.c_q"],
  ["self_attn.k_proj", "attn.c_k"],
  ["self_attn.v_proj", "attn.c_v"],
  ["self_attn.o_proj", "attn.c_proj"],
  ["post_attention_layernorm", "ln_2"],
  ["mlp.gate_proj", "mlp.c_gate"],
  ["mlp.up_proj", "mlp.c_fc"],
  ["mlp.down_proj", "mlp.c_proj"],
];
const WHOLE: readonly (readonly [llama: string, own: string])[] = [
  ["model.embed_tokens.weight", "transformer.wte.weight"],
  ["model.norm.weight", "transformer.ln_f.weight"],
  ["lm_head.weight", "lm_head.weight"],
];

const LLAMA_OF_PART = new Map(LAYER_PARTS.map(([llama, own]) => [own, llama]));
const OWN_OF_PART = new Map(LAYER_PARTS);
const LLAMA_OF_WHOLE = new Map(WHOLE.map(([llama, own]) => [own, llama]));

/** Linear maps of a layer that can be adapted, as PEFT's `target_modules` names them. */
export const TARGET_MODULES = [
  ...["q_proj", "k_proj", "v_proj", "o_proj"],
  ...["gate_proj", "up_proj", "down_proj"],
] as const;
export type TargetModule = (typeof TARGET_MODULES)[number];

/** Hugging Face's name of a tensor of `language-model`, such as `model.layers.0.mlp.up_proj.weight`. */
export function llamaName(own: string): string {
  const [, layer, part = ""] = /^transformer\.h\.(\d+)\.(.+)\.weight$/.exec(own) ?? [];
  const llama = layer === undefined ? LLAMA_OF_WHOLE.get(own) : LLAMA_OF_PART.get(part);
  if (llama === undefined) throw new RangeError(`a Llama has no tensor ${own}`);
  return layer === undefined ? llama : `model.layers.${layer}.${llama}.weight`;
}

/** Mirror of `llamaName` for what is in a layer, without `.weight`; `undefined` for what no Llama has. */
export function ownName(llama: string): string | undefined {
  const [, layer, part = ""] = /^model\.layers\.(\d+)\.(.+)$/.exec(llama) ?? [];
  const own = OWN_OF_PART.get(part);
  return own === undefined ? undefined : `transformer.h.${layer}.${own}.weight`;
}

/** Which linear map a tensor of `language-model` is; `undefined` for what cannot be adapted. */
export function targetOf(own: string): TargetModule | undefined {
  const part = /^transformer\.h\.\d+\.(.+)\.weight$/.exec(own)?.[1] ?? "";
  const last = LLAMA_OF_PART.get(part)?.split(".").at(-1);
  return TARGET_MODULES.find((module) => module === last);
}
