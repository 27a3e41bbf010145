import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../../tensor/random.ts";
import { type Batch, emptyBatch } from "./batch.ts";
import { type ModelConfig, modelSchema, settleModel } from "./model-config.ts";
import { openBackend } from "./open-backend.ts";
import { parameterSpecs } from "./parameters.ts";
import { ScalarModel } from "./scalar-model.ts";
import { scalarLogits, scalarLoss } from "./scalar-network.ts";
import { Tape } from "./tape.ts";
import { TensorModel } from "./tensor-model.ts";
import { Value } from "./value.ts";

const VOCABULARY = 7;
const ROWS = 2;
const BASE = { layers: 1, heads: 2, width: 8, context: 5 } as const;

const CONFIGS: Readonly<Record<string, v.InferInput<typeof modelSchema>>> = {
  bigram: { kind: "bigram", context: 5 },
  "nanoGPT's": BASE,
  "nanoGPT's of two layers, untied": { ...BASE, layers: 2, tied: false },
  "nanochat's": {
    ...{ ...BASE, norm: "rms-plain", activation: "relu2", positions: "rope", qkNorm: 1.2, embeddingNorm: true },
    ...{ softcap: 15, tied: false, init: "nanochat" },
  },
  "Llama's": {
    ...BASE,
    heads: 4,
    kvHeads: 2,
    norm: "rms",
    normEps: 0.01,
    activation: "swiglu",
    positions: "rope",
    hidden: 12,
    tied: false,
  },
  "without norms": { ...BASE, norm: "none" },
};

function settled(options: v.InferInput<typeof modelSchema>): ModelConfig {
  return settleModel(v.parse(modelSchema, options), VOCABULARY);
}

function drawnBatch(context: number, stream: RandomStream): Batch {
  const batch = emptyBatch(ROWS, context);
  for (const ids of [batch.inputs, batch.targets])
    for (let at = 0; at < ids.length; at += 1) ids[at] = stream.nextBelow(VOCABULARY);
  batch.targets[3] = -1;
  return batch;
}

function update(config: ModelConfig, step: number) {
  const parameters = parameterSpecs(config).map(({ name }) => name);
  const group = {
    kind: "adamw",
    parameters,
    learningRate: 0.01,
    beta1: 0.9,
    beta2: 0.95,
    eps: 1e-8,
    weightDecay: 0.1,
  } as const;
  return { step, clipNorm: 0.5, groups: [group] };
}

describe.each(Object.entries(CONFIGS))("a model of %s kind", (_, options) => {
  test("learns alike number by number and as a program of tensors", async () => {
    const config = settled(options);
    const scalar = new ScalarModel(config, 42);
    const tensor = await TensorModel.create(await openBackend({ name: "js", shards: 1, threads: 1 }), config, ROWS, 42);
    const stream = new RandomStream(42, "batches");
    for (let step = 1; step <= 4; step += 1) {
      const batch = drawnBatch(config.context, stream);
      expect(await tensor.loss(batch)).toBeCloseTo(await scalar.loss(batch), 5);
      const ours = await tensor.train(batch, update(config, step));
      const its = await scalar.train(batch, update(config, step));
      expect(ours.loss).toBeCloseTo(its.loss, 5);
      expect(ours.gradientNorm / its.gradientNorm).toBeCloseTo(1, 4);
      for (const { name } of parameterSpecs(config)) {
        const [found, expected] = [await tensor.gradient(name), scalar.gradient(name)];
        const size = Math.max(...expected.map(Math.abs));
        for (const [at, value] of expected.entries()) {
          expect(Math.abs((found[at] ?? Number.NaN) - value)).toBeLessThanOrEqual(1e-4 * size + 1e-9);
        }
      }
    }
    tensor.close();
  });

  test("begins with a loss near that of equal chances", async () => {
    const config = settled(options);
    const batch = drawnBatch(config.context, new RandomStream(7, "batches"));
    const loss = await new ScalarModel(config, 7).loss(batch);
    expect(Math.abs(loss - Math.log(VOCABULARY))).toBeLessThan(0.25);
  });

  test("has the gradients of central differences", () => {
    const config = settled(options);
    // Larger than they begin, so that every part of a model matters.
    const stream = new RandomStream(11, "weights");
    const tape = new Tape();
    const weights = new Map(
      parameterSpecs(config).map(({ name, shape }) => {
        const rows = shape.length === 1 ? 1 : (shape[0] ?? 0);
        const drawn = () => Array.from({ length: shape.at(-1) ?? 0 }, () => new Value(tape, 0.5 * stream.nextNormal()));
        return [name, Array.from({ length: rows }, drawn)];
      }),
    );
    const { inputs, targets } = drawnBatch(config.context, stream);
    const tokens = inputs.subarray(0, config.context);
    const loss = () => scalarLoss(scalarLogits(config, weights, tokens), targets.subarray(0, config.context));
    loss().backward();
    for (const [name, rows] of weights) {
      for (let draw = 0; draw < 4; draw += 1) {
        const row = rows[stream.nextBelow(rows.length)] ?? [];
        const value = row[stream.nextBelow(row.length)] as Value;
        const { data } = value;
        const at = (shift: number) => {
          value.data = data + shift;
          return loss().data;
        };
        const numerical = (at(1e-5) - at(-1e-5)) / 2e-5;
        value.data = data;
        expect(Math.abs(value.grad - numerical), name).toBeLessThanOrEqual(1e-6 * (1 + Math.abs(numerical)));
      }
    }
  });
});

test("what a model leaves out while it learns follows from seed and step, and nothing is left out when it is judged", async () => {
  const backend = await openBackend({ name: "wasm-strict", shards: 1, threads: 1 });
  const [plain, leaky] = [settled(BASE), settled({ ...BASE, dropout: 0.4 })];
  const batch = drawnBatch(plain.context, new RandomStream(42, "batches"));
  const model = async (config: ModelConfig) => await TensorModel.create(backend, config, ROWS, 42);
  const still = (config: ModelConfig, step: number) => ({ ...update(config, step), groups: [] });
  const [all, some] = [await model(plain), await model(leaky)];
  const whole = await all.loss(batch);
  expect(await some.loss(batch)).toBe(whole);
  const losses: number[] = [];
  for (const step of [1, 2, 1]) losses.push((await some.train(batch, still(leaky, step))).loss);
  expect(new Set([whole, ...losses]).size).toBe(3);
  expect(losses[2]).toBe(losses[0]);
  expect(await some.loss(batch)).toBe(whole);
});
