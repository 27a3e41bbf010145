import { writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import * as v from "valibot";
import { afterAll, expect, test } from "vitest";
import { describeOn } from "../../tensor/backend.suite.ts";
import { RandomStream } from "../../tensor/random.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { HAS_SOFTWARE_GPU } from "../../tensor/webgpu/software-gpu.suite.ts";
import { webGpuBackend } from "../../tensor/webgpu/webgpu-backend.ts";
import { Decoder } from "./decoder.ts";
import { type ModelConfig, modelSchema, settleModel } from "./model-config.ts";
import { BACKEND_CHOICES, type BackendChoice, openBackend, type ShardedBackend } from "./open-backend.ts";
import { parameterSpecs } from "./parameters.ts";
import { RunRig } from "./run-rig.suite.ts";
import { SafetensorsReader } from "./safetensors-reader.ts";
import { safetensorsPieces } from "./safetensors-writer.ts";
import { scalarLogits } from "./scalar-network.ts";
import { Tape } from "./tape.ts";
import { Value } from "./value.ts";

const VOCABULARY = 9;
const BASE = { layers: 2, heads: 4, width: 16, context: 6 } as const;
const CONFIGS: Readonly<Record<string, v.InferInput<typeof modelSchema>>> = {
  bigram: { kind: "bigram", context: 6 },
  "nanoGPT's": BASE,
  "nanochat's": {
    ...{ ...BASE, norm: "rms-plain", activation: "relu2", positions: "rope", qkNorm: 1.2, embeddingNorm: true },
    ...{ softcap: 15, tied: false },
  },
  "Llama's": { ...BASE, kvHeads: 2, norm: "rms", activation: "swiglu", positions: "rope", tied: false },
};

const BACKENDS = BACKEND_CHOICES.filter((name) => name !== "webgpu" || HAS_SOFTWARE_GPU);
const softwareGpu = webGpuBackend({ isSoftware: true });

const rig = new RunRig();
afterAll(() => rig.close());

/** Weights larger than a model begins with, so that every part of it matters. */
function drawnWeights(config: ModelConfig): Map<string, Float32Array> {
  const stream = new RandomStream(5, "weights");
  return new Map(
    parameterSpecs(config).map(({ name, shape }) => {
      return [name, Float32Array.from({ length: sizeOf(shape) }, () => 0.4 * stream.nextNormal())];
    }),
  );
}

async function openDecoder(
  backend: ShardedBackend,
  config: ModelConfig,
  weights: ReadonlyMap<string, Float32Array>,
): Promise<Decoder> {
  const sources = parameterSpecs(config).map(({ name, shape }) => {
    return { name, shape, type: "F32" as const, read: () => weights.get(name) ?? new Float32Array() };
  });
  const path = join(rig.folder, "weights");
  writeFileSync(path, await buffer(safetensorsPieces(sources, new Map())));
  const file: FileHandle = await open(path);
  try {
    return await Decoder.create(backend, config, await SafetensorsReader.open(file, path));
  } finally {
    await file.close();
  }
}

/** Where the one that is asked for is a graphics processor, the processor stands in for it. */
async function backendOf(name: BackendChoice): Promise<ShardedBackend> {
  if (name !== "webgpu") return await openBackend({ name, shards: 1, threads: 1 });
  return { name, shards: 1, load: (program) => softwareGpu.load(program) };
}

/** What the scalar engine says of the last of some tokens. */
function expected(
  config: ModelConfig,
  weights: ReadonlyMap<string, Float32Array>,
  tokens: readonly number[],
): number[] {
  const tape = new Tape();
  const rows = new Map(
    parameterSpecs(config).map(({ name, shape }) => {
      const width = shape.at(-1) ?? 1;
      const values = Array.from(weights.get(name) ?? [], (data) => new Value(tape, data));
      return [
        name,
        Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width)),
      ];
    }),
  );
  return (scalarLogits(config, rows, tokens).at(-1) ?? []).map(({ data }) => data);
}

for (const name of BACKENDS) {
  describeOn(name)(`on ${name}`, () => {
    test.each(Object.entries(CONFIGS))(
      "one token after the other has the logits of all at once: %s",
      async (_, options) => {
        const config = settleModel(v.parse(modelSchema, options), VOCABULARY);
        const weights = drawnWeights(config);
        const decoder = await openDecoder(await backendOf(name), config, weights);
        const stream = new RandomStream(5, "tokens");
        let seen: number[] = [];
        for (let step = 0; step < 20; step += 1) {
          // Full: it goes on with the later half.
          if (seen.length === config.context) seen = seen.slice(config.context / 2);
          if (step === 15) {
            decoder.reset();
            seen = [];
          }
          seen.push(stream.nextBelow(VOCABULARY));
          const found = await decoder.next(seen.at(-1) ?? 0);
          for (const [id, logit] of expected(config, weights, seen).entries()) expect(found[id]).toBeCloseTo(logit, 4);
        }
        decoder.close();
      },
    );
  });
}
