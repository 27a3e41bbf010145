import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openBackend } from "../language-model/open-backend.ts";
import { parameterCount, parameterSpecs } from "../language-model/parameters.ts";
import { fineTune } from "./fine-tune.ts";
import { parseFineTuneOptions } from "./fine-tune-options.ts";
import { Generator } from "./generator.ts";
import { llamaName } from "./llama-names.ts";
import { drawnNumbers, LlamaRig, SMOLLM, TINY } from "./llama-rig.suite.ts";
import { loadModelFolder } from "./model-folder.ts";
import { tokenizeExamples } from "./tokenized-example.ts";

const rig = new LlamaRig();
afterAll(() => rig.close());

describe("a model in a folder", () => {
  const smolLm = rig.write("smollm", { ...SMOLLM, num_hidden_layers: 1, max_position_embeddings: 2048 }, "BF16");

  test.each([
    ["F32", 1],
    ["F16", 1],
    ["BF16", 1],
    ["BF16", 3],
  ] as const)("has the numbers of its files: %s in %i", async (type, shards) => {
    const model = await loadModelFolder(rig.write(`${type}-${shards}`, TINY, type, shards));
    for (const { name, shape } of parameterSpecs(model.config)) {
      expect(await model.weights.floats(name, shape), name).toEqual(drawnNumbers(llamaName(name), shape));
    }
    await model.close();
  });

  test("is SmolLM-135M as its files say it", async () => {
    const model = await loadModelFolder(smolLm);
    expect(model.config).toMatchObject({
      width: 576,
      heads: 9,
      kvHeads: 3,
      headWidth: 64,
      hidden: 1536,
      context: 2048,
    });
    expect(model.config).toMatchObject({ vocabulary: 49_152, normEps: 1e-5, ropeTheta: 10_000, tied: true });
    // As counted from the shapes that Hugging Face shows of it.
    expect(parameterCount({ ...model.config, layers: 30 })).toBe(134_515_008);
    expect([...model.ends]).toEqual([2]);
    const tokens = model.chatTokens("Say it.");
    expect([tokens[0], [...tokens].filter((id) => id === 2)]).toEqual([1, [2]]);
    expect(model.tokenizer.decode(tokens)).toBe("user\nSay it.\nassistant\n");
    await model.close();
  });

  test("of SmolLM-135M's layout, a layer deep, learns a step and answers", { timeout: 120_000 }, async () => {
    const model = await loadModelFolder(smolLm);
    const openOne = () => openBackend({ name: "wasm-strict", shards: 1, threads: 1 });
    const { signal } = new AbortController();
    const { adapter, steps, trainableParameters } = await fineTune({
      ...{ model, examples: tokenizeExamples(model, [{ prompt: "a?", answer: "b" }]), validation: [], signal },
      options: parseFineTuneOptions({ iterations: 1, batch: 1 }),
      ...{ openBackend: openOne, nowMs: () => 0 },
    });
    // Rank 8 on q, k, v, o, gate, up and down of a layer.
    expect([steps, trainableParameters]).toEqual([1, 8 * (1152 + 768 + 768 + 1152 + 2112 + 2112 + 2112)]);
    const adapters = new Map([["one", adapter]]);
    const generator = await Generator.create(model, await openOne(), { adapters, nowMs: () => 0, context: 64 });
    generator.use("one");
    const { tokens } = await generator.answer("a?", { maxTokens: 3 });
    expect(tokens).toBeGreaterThan(0);
    generator.close();
    await model.close();
  });
});

describe("a folder is refused", () => {
  const change = (name: string, file: string, edit: (text: string) => string): string => {
    const folder = rig.write(name, TINY);
    const path = join(folder, file);
    writeFileSync(path, edit(readFileSync(path, "utf8")));
    return folder;
  };
  const withConfig = (more: object) => (text: string) => JSON.stringify({ ...JSON.parse(text), ...more });

  test.each([
    ["of another kind", { model_type: "gpt2" }, "unsupported-model", /model of type "gpt2"/],
    ["with biases", { attention_bias: true }, "unsupported-model", /biases/],
    ["with scaled positions", { rope_scaling: { rope_type: "yarn" } }, "unsupported-model", /yarn/],
    ["with wider heads", { head_dim: 64 }, "unsupported-model", /4 heads of 64/],
    ["with another activation", { hidden_act: "gelu" }, "unsupported-model", /gelu/],
    ["without a width", { hidden_size: 0 }, "bad-model", /hidden_size/],
    ["with heads that do not share", { num_key_value_heads: 3 }, "bad-model", /multiple of kvHeads/],
    ["with more layers than tensors", { num_hidden_layers: 3 }, "bad-model", /no tensor model\.layers\.2/],
    ["with fewer rows than tokens", { vocab_size: 300 }, "bad-model", /320 tokens, and its table 300/],
    ["with an end beyond its table", { eos_token_id: [2, 320] }, "bad-model", /token 320/],
  ])("%s", async (name, more, code, message) => {
    const folder = change(name, "config.json", withConfig(more));
    await expect(loadModelFolder(folder)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test("whose tensors are of other shapes than its configuration says", async () => {
    const model = await loadModelFolder(change("shape", "config.json", withConfig({ intermediate_size: 64 })));
    const shape = [64, 32];
    await expect(model.weights.floats("transformer.h.0.mlp.c_fc.weight", shape)).rejects.toMatchObject({
      code: "bad-model",
    });
    await model.close();
  });

  test.each(["config.json", "tokenizer.json", "model.safetensors"])("without %s", async (file) => {
    const folder = rig.write(`without ${file}`, TINY);
    rmSync(join(folder, file));
    const problem = expect.stringContaining(`it has no ${file}`);
    await expect(loadModelFolder(folder)).rejects.toMatchObject({ code: "bad-model", problem });
  });

  test.each([
    ["tokenizer_config.json", "{", "bad-model"],
    ["tokenizer_config.json", '{"chat_template": "{% for %}"}', "bad-template"],
    ["tokenizer_config.json", '{"chat_template": 5}', "bad-template"],
    ["tokenizer.json", "[]", "bad-model"],
    ["config.json", "null", "bad-model"],
    ["generation_config.json", '{"eos_token_id": -1}', "bad-model"],
  ])("whose %s is %s", async (file, text, code) => {
    const folder = rig.write(`text ${file} ${text.length}`, TINY);
    writeFileSync(join(folder, file), text);
    await expect(loadModelFolder(folder)).rejects.toMatchObject({ code });
  });

  test.each([
    ["a file outside the folder", { "model.norm.weight": "../model-1-of-2.safetensors" }, /beside the index/],
    ["a file that is not there", { "model.norm.weight": "model-9.safetensors" }, /no model-9/],
    ["a tensor in a file that has it not", { absent: "model-1-of-2.safetensors" }, /has no absent/],
  ])("whose index names %s", async (name, more, message) => {
    const folder = rig.write(`index ${name}`, TINY, "F32", 2);
    const path = join(folder, "model.safetensors.index.json");
    const { weight_map: map } = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ weight_map: { ...map, ...more } }));
    const problem = expect.stringMatching(message);
    await expect(loadModelFolder(folder)).rejects.toMatchObject({ code: "bad-model", problem });
  });

  test("that is cut off", async () => {
    const folder = rig.write("cut", TINY);
    const path = join(folder, "model.safetensors");
    writeFileSync(path, readFileSync(path).subarray(0, -1));
    await expect(loadModelFolder(folder)).rejects.toMatchObject({ code: "truncated" });
  });

  test("that is none", async () => {
    await expect(loadModelFolder(rig.path("nothing"))).rejects.toMatchObject({ code: "bad-model" });
  });
});
