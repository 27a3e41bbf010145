import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { describeOn } from "../../../tensor/backend.suite.ts";
import { distance } from "../../../tensor/engine.suite.ts";
import { sizeOf } from "../../../tensor/tensor.ts";
import { HAS_SOFTWARE_GPU } from "../../../tensor/webgpu/software-gpu.suite.ts";
import { webGpuBackend } from "../../../tensor/webgpu/webgpu-backend.ts";
import { Decoder, type WeightSource } from "../../language-model/decoder.ts";
import {
  BACKEND_CHOICES,
  type BackendChoice,
  openBackend,
  type ShardedBackend,
} from "../../language-model/open-backend.ts";
import { layOutBatch, shapeFor } from "../answer-batch.ts";
import { readLlamaConfig } from "../llama-config.ts";
import { llamaName, ownName, TARGET_MODULES } from "../llama-names.ts";
import { type LowRankPair, pairNames, recordLowRank } from "../low-rank.ts";
import { LowRankModel } from "../low-rank-model.ts";

/** Written by write-torch-values.py, beside this file. */
interface TorchValues {
  readonly config: object;
  readonly rank: number;
  readonly alpha: number;
  /** In the order of their numbers. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly examples: readonly { readonly tokens: readonly number[]; readonly answerFrom: number }[];
  readonly baseLogits: readonly number[];
  readonly adaptedLogits: readonly number[];
  readonly loss: number;
  /** By PEFT's names of a module's two factors, in the order of their numbers. */
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

const VALUES = JSON.parse(readFileSync(new URL("torch-values.json", import.meta.url), "utf8")) as TorchValues;
const MOST_DIFFERENCE = 1e-4;
const TIMEOUT_MS = 120_000;
const { model: CONFIG } = readLlamaConfig(VALUES.config, "torch-values.json");
const PLAN = { rank: VALUES.rank, scale: VALUES.alpha / VALUES.rank, dropout: 0, targets: TARGET_MODULES };
const EXAMPLES = VALUES.examples.map(({ tokens, answerFrom }) => ({ tokens: Int32Array.from(tokens), answerFrom }));

/** As the script says. */
function numbers(order: number, shape: readonly number[], middle = 0): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => middle + (((i * 37 + order * 11) % 101) - 50) / 128);
}

const weights: WeightSource = {
  async floats(name, shape) {
    const order = Object.keys(VALUES.shapes).indexOf(llamaName(name));
    expect(VALUES.shapes[llamaName(name)]).toEqual(shape);
    return numbers(order, shape, shape.length === 1 ? 1 : 0) as Float32Array<ArrayBuffer>;
  },
};

/** The script's factors, by the names of the matrices that they are beside. */
function drawnPairs(): Map<string, LowRankPair> {
  const factors = Object.entries(VALUES.gradients).map(([name, { length }], at) => {
    return [name, numbers(100 + at, [length])] as const;
  });
  const modules = [...new Set(factors.map(([name]) => name.replace(/\.lora_[AB]$/, "")))];
  const factor = (name: string) => factors.find(([known]) => known === name)?.[1] ?? new Float32Array();
  return new Map(
    modules.map((name) => [ownName(name) ?? "", { down: factor(`${name}.lora_A`), up: factor(`${name}.lora_B`) }]),
  );
}

const softwareGpu = webGpuBackend({ isSoftware: true });
async function backendOf(name: BackendChoice): Promise<ShardedBackend> {
  if (name !== "webgpu") return await openBackend({ name, shards: 1, threads: 1 });
  return { name, shards: 1, load: (program) => softwareGpu.load(program) };
}

for (const name of BACKEND_CHOICES.filter((known) => known !== "webgpu" || HAS_SOFTWARE_GPU)) {
  describeOn(name)(`a Llama with shared heads, on ${name}`, () => {
    test(
      "has PyTorch's loss of answers, and its gradients of all low-rank maps",
      async () => {
        const shape = shapeFor(EXAMPLES, EXAMPLES.length, 1);
        const model = await LowRankModel.create(await backendOf(name), { config: CONFIG, weights }, PLAN, shape, 1);
        model.setPairs(drawnPairs());
        const standStill = { learningRate: 0, beta1: 0, beta2: 0, eps: 1, weightDecay: 0 };
        const group = { kind: "adamw" as const, parameters: model.trained, ...standStill };
        const batch = layOutBatch(EXAMPLES, shape);
        const { loss } = await model.train([batch], { step: 1, groups: [group] });
        expect(Math.abs(loss / VALUES.loss - 1)).toBeLessThan(MOST_DIFFERENCE);
        expect(Math.abs((await model.loss([batch])) / VALUES.loss - 1)).toBeLessThan(MOST_DIFFERENCE);
        let compared = 0;
        for (const [factor, want] of Object.entries(VALUES.gradients)) {
          const [, module = "", kind] = /^(.+)\.lora_([AB])$/.exec(factor) ?? [];
          const { down, up } = pairNames(ownName(module) ?? "");
          const got = await model.gradient(kind === "A" ? down : up);
          expect(distance(got, Float32Array.from(want)), factor).toBeLessThan(MOST_DIFFERENCE);
          compared += 1;
        }
        expect(compared).toBe(model.trained.length);
        model.close();
      },
      TIMEOUT_MS,
    );

    // A graphics processor that the processor stands in for compiles slowly: once is enough.
    if (name !== "webgpu") testLogits(name);
  });
}

describe("the recorded values", () => {
  test("are of every module of every layer, and of another model than its base", () => {
    expect(Object.keys(VALUES.gradients)).toHaveLength(2 * 7 * 2);
    expect(distance(Float32Array.from(VALUES.baseLogits), Float32Array.from(VALUES.adaptedLogits))).toBeGreaterThan(
      0.1,
    );
  });
});

function testLogits(name: BackendChoice): void {
  test.each([
    ["without its adapter", false, VALUES.baseLogits],
    ["with it", true, VALUES.adaptedLogits],
  ] as const)("has PyTorch's logits %s", async (_, isAdapted, want) => {
    const decoder = await Decoder.create(await backendOf(name), CONFIG, weights, (builder) =>
      isAdapted ? recordLowRank(builder, CONFIG, PLAN) : undefined,
    );
    for (const [weight, { down, up }] of isAdapted ? drawnPairs() : []) {
      decoder.set(pairNames(weight).down, down);
      decoder.set(pairNames(weight).up, up);
    }
    const tokens = EXAMPLES[0]?.tokens.subarray(0, -1) ?? new Int32Array();
    const got: number[] = [];
    for (const token of tokens) got.push(...(await decoder.next(token)));
    expect(got).toHaveLength(want.length);
    for (const [at, logit] of want.entries()) {
      expect(Math.abs((got[at] ?? Number.NaN) - logit)).toBeLessThan(MOST_DIFFERENCE);
    }
    decoder.close();
  });
}
