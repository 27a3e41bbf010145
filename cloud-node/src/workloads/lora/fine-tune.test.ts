import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../language-model/open-backend.ts";
import { parameterSpecs } from "../language-model/parameters.ts";
import { readAdapter, writeAdapter } from "./adapter-file.ts";
import { type FineTuned, type FineTuneRequest, fineTune } from "./fine-tune.ts";
import { parseFineTuneOptions } from "./fine-tune-options.ts";
import { Generator } from "./generator.ts";
import { TARGET_MODULES } from "./llama-names.ts";
import { LlamaRig, TINY } from "./llama-rig.suite.ts";
import { mergeAdapter } from "./merge.ts";
import { type LoadedModel, loadModelFolder } from "./model-folder.ts";
import { tokenizeExamples } from "./tokenized-example.ts";

const EXAMPLES = [
  { prompt: "one", answer: "uno" },
  { prompt: "two", answer: "dos" },
  { prompt: "three", answer: "tres" },
  { prompt: "four", answer: "cuatro" },
];
const SMALL = { rank: 4, iterations: 60, batch: 4, learningRate: 0.02, evaluateEvery: 20 };

const rig = new LlamaRig();
let model: LoadedModel;
beforeAll(async () => {
  model = await loadModelFolder(rig.write("base", TINY));
});
afterAll(async () => {
  await model.close();
  rig.close();
});

const backendOf = (shards: number, threads = 1) => openBackend({ name: "wasm-strict", shards, threads });

async function teach(options: object, more: Partial<FineTuneRequest> = {}): Promise<FineTuned> {
  let now = 0;
  const examples = tokenizeExamples(model, EXAMPLES);
  return await fineTune({
    ...{ model, examples, validation: examples.slice(0, 1), options: parseFineTuneOptions({ ...SMALL, ...options }) },
    openBackend: backendOf,
    signal: new AbortController().signal,
    nowMs: () => (now += 1),
    ...more,
  });
}

async function ask(folder: LoadedModel, adapters: ReadonlyMap<string, FineTuned["adapter"]> = new Map()) {
  return await Generator.create(folder, await backendOf(1), { adapters, nowMs: () => 0 });
}

describe("a model that is taught", () => {
  let taught: FineTuned;
  beforeAll(async () => {
    taught = await teach({});
  });

  test("answers what it was taught, and without its adapter what it did before", async () => {
    const before = await ask(model);
    const answers = await Promise.all([before.answer("four", { maxTokens: 8 })]);
    before.close();
    const after = await ask(model, new Map([["numbers", taught.adapter]]));
    after.use("numbers");
    for (const { prompt, answer } of EXAMPLES) {
      expect((await after.answer(prompt, { maxTokens: 8 })).text).toBe(answer);
    }
    after.use(undefined);
    expect((await after.answer("four", { maxTokens: 8 })).text).toBe(answers[0]?.text);
    expect(answers[0]?.text).not.toBe("cuatro");
    after.close();
  });

  test("has a loss of answers that falls, and counts what it trains", () => {
    expect(taught.validationLoss.map(({ step }) => step)).toEqual([0, 20, 40, 60]);
    const [first, , , last] = taught.validationLoss.map(({ loss }) => loss);
    expect(last).toBeLessThan((first ?? 0) / 10);
    expect(taught.trainLoss).toHaveLength(60);
    // rank · (inputs + outputs) of q, k, v, o, gate, up, down in each of two layers.
    expect(taught.trainableParameters).toBe(2 * 4 * (64 + 48 + 48 + 64 + 80 + 80 + 80));
    const own = parameterSpecs(model.config).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
    expect(taught.totalParameters).toBe(own + taught.trainableParameters);
  });

  test("is the same with any number of threads", async () => {
    const [one, two] = [1, 2].map((threads) =>
      teach({ iterations: 4, shards: 2, dropout: 0.2 }, { openBackend: (shards) => backendOf(shards, threads) }),
    );
    expect((await one)?.adapter).toEqual((await two)?.adapter);
  });

  test("learns from two batches as from one of both", async () => {
    const [whole, parts] = await Promise.all([
      teach({ iterations: 3 }),
      teach({ iterations: 3, batch: 2, accumulate: 2 }),
    ]);
    for (const [at, loss] of whole.trainLoss.entries()) expect(parts.trainLoss[at]).toBeCloseTo(loss, 4);
  });

  test("is the same in a file, as two of the names of PEFT say", async () => {
    const folder = rig.path("adapter");
    await writeAdapter(folder, taught.adapter);
    const read = await readAdapter(folder, model.config);
    expect(read.pairs).toEqual(taught.adapter.pairs);
    expect(read).toMatchObject({ rank: 4, alpha: 16, targets: expect.arrayContaining([...TARGET_MODULES]) });
  });

  test("merged has the logits of base and adapter", async () => {
    const folder = rig.path("merged");
    await mergeAdapter(folder, model, taught.adapter);
    const merged = await loadModelFolder(folder);
    const [one, two] = [await ask(merged), await ask(model, new Map([["numbers", taught.adapter]]))];
    two.use("numbers");
    let compared = 0;
    for (const { prompt, answer } of EXAMPLES) {
      expect((await one.answer(prompt, { maxTokens: 8 })).text).toBe(answer);
      const tokens = model.chatTokens(prompt);
      const [got, want] = [await one.logits(tokens), await two.logits(tokens)];
      for (const [id, logit] of want.entries()) expect(Math.abs((got[id] ?? Number.NaN) - logit)).toBeLessThan(1e-4);
      compared += want.length;
    }
    expect(compared).toBe(4 * 320);
    await expect(mergeAdapter(folder, model, taught.adapter)).rejects.toMatchObject({ code: "folder-taken" });
    for (const generator of [one, two]) generator.close();
    await merged.close();
  });

  test("keeps several adapters of other ranks and modules, one active at a time", async () => {
    const other = await teach({ rank: 2, targets: ["q_proj", "v_proj"], alpha: 4, seed: 2 });
    const alone = await ask(model, new Map([["other", other.adapter]]));
    alone.use("other");
    const wanted = (await alone.logits(model.chatTokens("two"))).slice();
    alone.close();
    const both = await ask(
      model,
      new Map([
        ["numbers", taught.adapter],
        ["other", other.adapter],
      ]),
    );
    both.use("numbers");
    expect((await both.answer("two", { maxTokens: 8 })).text).toBe("dos");
    both.use("other");
    const found = await both.logits(model.chatTokens("two"));
    for (const [id, logit] of wanted.entries()) expect(found[id]).toBeCloseTo(logit, 5);
    expect(() => both.use("third")).toThrow(expect.objectContaining({ code: "unknown-adapter" }));
    both.close();
  });
});

describe("a run that was stopped", () => {
  test.each([0, 3, 5])("after %i steps goes on bit for bit", async (steps) => {
    const options = { iterations: 8, evaluateEvery: 5, dropout: 0.1, accumulate: 2, batch: 2 };
    const whole = await teach(options);
    const checkpoint = rig.path(`run-${steps}.safetensors`);
    const stop = new AbortController();
    if (steps === 0) stop.abort();
    const onStep = (step: number) => step === steps && stop.abort();
    const begun = await teach(options, { checkpoint, signal: stop.signal, onStep });
    expect([begun.steps, begun.isStopped]).toEqual([steps, true]);
    const gone = await teach(options, { checkpoint, isResumed: true });
    expect(gone.adapter).toEqual(whole.adapter);
    expect([gone.trainLoss, gone.validationLoss]).toEqual([whole.trainLoss, whole.validationLoss]);
  });

  test("is not taken up for a model in which a few weights are others", async () => {
    const [checkpoint, folder] = [rig.path("base-run.safetensors"), rig.path("near")];
    const options = { iterations: 1, targets: ["v_proj"] };
    await mergeAdapter(folder, model, (await teach(options, { checkpoint })).adapter);
    const near = await loadModelFolder(folder);
    const taken = teach(options, { checkpoint, isResumed: true, model: near });
    await expect(taken).rejects.toMatchObject({ code: "other-run" });
    await near.close();
  });

  test("is not taken up by another, nor where its file is damaged", async () => {
    const checkpoint = rig.path("one.safetensors");
    await teach({ iterations: 1 }, { checkpoint });
    const refusal = (options: object, isResumed = true) =>
      teach({ iterations: 1, ...options }, { checkpoint, isResumed });
    await expect(refusal({}, false)).rejects.toMatchObject({ code: "other-run" });
    await expect(refusal({ seed: 5 })).rejects.toMatchObject({ code: "other-run" });
    const bytes = readFileSync(checkpoint);
    for (const change of [bytes.length - 9, 200, 3]) {
      writeFileSync(checkpoint, Buffer.from(bytes).fill((bytes[change] ?? 0) ^ 1, change, change + 1));
      await expect(refusal({})).rejects.toMatchObject({ code: "bad-checkpoint" });
    }
    writeFileSync(checkpoint, bytes.subarray(0, -1));
    await expect(refusal({})).rejects.toMatchObject({ code: "bad-checkpoint" });
  });
});

describe("nothing is learned", () => {
  test("without examples, from one that is too long, or at a rate at which numbers run off", async () => {
    await expect(teach({}, { examples: [] })).rejects.toMatchObject({ code: "no-examples" });
    await expect(teach({ mostTokens: 12 })).rejects.toMatchObject({ code: "example-too-long" });
    expect(() => parseFineTuneOptions({ batch: 3, shards: 2 })).toThrow(
      expect.objectContaining({ code: "bad-option" }),
    );
    expect(() => parseFineTuneOptions({ targets: ["lm_head"] })).toThrow(/targets/);
  });

  test("from a message with a word that is the model's own", () => {
    for (const word of ["<|im_end|>", "<|endoftext|>"]) {
      expect(() => tokenizeExamples(model, [{ prompt: `a ${word} b`, answer: "c" }])).toThrow(
        expect.objectContaining({ code: "special-in-text" }),
      );
    }
  });

  test("and a prompt that has no room is not answered", async () => {
    const generator = await ask(model);
    await expect(generator.answer("a ".repeat(60), { maxTokens: 4 })).rejects.toMatchObject({
      code: "prompt-too-long",
    });
    generator.close();
  });
});
