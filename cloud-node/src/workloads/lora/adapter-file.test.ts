import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { formatHeader } from "../language-model/safetensors-format.ts";
import { ADAPTER_CONFIG_FILE, ADAPTER_FILE, readAdapter, writeAdapter } from "./adapter-file.ts";
import { readLlamaConfig } from "./llama-config.ts";
import { LlamaRig, TINY } from "./llama-rig.suite.ts";
import { type Adapter, scaleOf } from "./low-rank.ts";

const rig = new LlamaRig();
afterAll(() => rig.close());
const { model: CONFIG } = readLlamaConfig(TINY, "TINY");

/** As PEFT writes it, by hand. */
function peft(
  name: string,
  more: object = {},
  tensors = { A: [2, 32], B: [16, 2] },
  module = "0.self_attn.k_proj",
): string {
  const folder = rig.path(name);
  mkdirSync(folder, { recursive: true });
  const config = {
    ...{ auto_mapping: null, base_model_name_or_path: "someone/some-model", bias: "none", fan_in_fan_out: false },
    ...{ inference_mode: true, lora_alpha: 4, lora_dropout: 0.05, modules_to_save: null, peft_type: "LORA", r: 2 },
    ...{ target_modules: ["k_proj"], task_type: "CAUSAL_LM", use_dora: false, use_rslora: false, rank_pattern: {} },
  };
  writeFileSync(join(folder, ADAPTER_CONFIG_FILE), JSON.stringify({ ...config, ...more }));
  const places = Object.entries(tensors).map(([kind, shape]) => {
    return { name: `base_model.model.model.layers.${module}.lora_${kind}.weight`, type: "F32" as const, shape };
  });
  const count = places.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
  const numbers = Float32Array.from({ length: count }, (_, at) => at / 8);
  writeFileSync(
    join(folder, ADAPTER_FILE),
    Buffer.concat([formatHeader(places, new Map()), Buffer.from(numbers.buffer)]),
  );
  return folder;
}

describe("an adapter's files", () => {
  test("are read as PEFT writes them", async () => {
    const adapter = await readAdapter(peft("good"), CONFIG);
    expect(adapter).toMatchObject({
      rank: 2,
      alpha: 4,
      dropout: 0.05,
      base: "someone/some-model",
      targets: ["k_proj"],
    });
    expect(scaleOf(adapter)).toBe(2);
    const pair = adapter.pairs.get("transformer.h.0.attn.c_k.weight");
    expect([pair?.down.length, pair?.up.length]).toEqual([64, 32]);
    expect([pair?.down[1], pair?.up[0]]).toEqual([1 / 8, 8]);
  });

  test("have PEFT's names, and come back as they were", async () => {
    const pairs = new Map([
      ["transformer.h.1.mlp.c_fc.weight", { down: new Float32Array(96).fill(1), up: new Float32Array(144).fill(2) }],
    ]);
    const about = { rank: 3, alpha: 5, dropout: 0, isRankStabilized: true, targets: ["up_proj"] as const, base: "b" };
    const adapter: Adapter = { ...about, pairs };
    const folder = rig.path("written");
    await writeAdapter(folder, adapter);
    expect(await readAdapter(folder, CONFIG)).toEqual(adapter);
    expect(scaleOf(adapter)).toBeCloseTo(5 / Math.sqrt(3));
    const bytes = readFileSync(join(folder, ADAPTER_FILE));
    const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString());
    const name = "base_model.model.model.layers.1.mlp.up_proj.lora";
    expect(header).toMatchObject({
      __metadata__: { format: "pt" },
      [`${name}_A.weight`]: { dtype: "F32", shape: [3, 32] },
      [`${name}_B.weight`]: { dtype: "F32", shape: [48, 3] },
    });
  });

  test.each([
    ["of another method", { peft_type: "IA3" }, /peft_type/],
    ["with biases", { bias: "all" }, /bias/],
    ["of DoRA", { use_dora: true }, /use_dora/],
    ["stored the other way round", { fan_in_fan_out: true }, /fan_in_fan_out/],
    ["with a rank for each module", { rank_pattern: { k_proj: 4 } }, /rank_pattern/],
    ["of no rank", { r: 0 }, /r: /],
    ["of a rank beyond all", { r: 1e9 }, /r: /],
    ["of a rank that its tensors have not", { r: 4 }, /shape/],
    ["whose alpha is no number", { lora_alpha: "16" }, /lora_alpha/],
  ])("are refused: %s", async (name, more, message) => {
    const problem = expect.stringMatching(message);
    await expect(readAdapter(peft(name, more), CONFIG)).rejects.toMatchObject({ code: "bad-adapter", problem });
  });

  test.each([
    ["a layer that the model has not", "7.self_attn.k_proj"],
    ["a module that it has not", "0.self_attn.k_norm"],
    ["a norm", "0.input_layernorm"],
  ])("are refused: for %s", async (name, module) => {
    const folder = peft(name, {}, { A: [2, 32], B: [16, 2] }, module);
    await expect(readAdapter(folder, CONFIG)).rejects.toMatchObject({ code: "bad-adapter" });
  });

  test("are refused: half of a pair, none, cut off, not finite, not there", async () => {
    const half = peft("half", {}, { A: [2, 32] } as never);
    const none = peft("none", {}, {} as never);
    const [cut, infinite] = [peft("cut"), peft("infinite")];
    writeFileSync(join(cut, ADAPTER_FILE), readFileSync(join(cut, ADAPTER_FILE)).subarray(0, -1));
    const bytes = readFileSync(join(infinite, ADAPTER_FILE));
    bytes.writeFloatLE(Number.POSITIVE_INFINITY, bytes.length - 4);
    writeFileSync(join(infinite, ADAPTER_FILE), bytes);
    await expect(readAdapter(cut, CONFIG)).rejects.toMatchObject({ code: "truncated" });
    for (const folder of [half, none, infinite, rig.path("absent")]) {
      await expect(readAdapter(folder, CONFIG), folder).rejects.toMatchObject({ code: "bad-adapter" });
    }
    writeFileSync(join(half, ADAPTER_CONFIG_FILE), "{");
    await expect(readAdapter(half, CONFIG)).rejects.toMatchObject({ code: "bad-adapter" });
  });
});
