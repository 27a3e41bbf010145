import type * as v from "valibot";
import type { runSchema } from "./run-config.ts";

/** What can stand in a configuration file. */
export type RunOptions = v.InferInput<typeof runSchema>;

const NANOGPT_CPU: RunOptions = {
  model: { layers: 4, heads: 4, width: 128, context: 64 },
  data: { rows: 12 },
  schedule: { kind: "cosine", warmup: 100, finalShare: 0.1 },
  optimizer: { learningRate: 1e-3, beta1: 0.9, beta2: 0.99, weightDecay: 0.1, clip: 1 },
  ...{ steps: 2000, evalEvery: 250, evalBatches: 20 },
};

/**
 * Runs that are known by name.
 *
 * @see A. Karpathy, nanoGPT, README ("quick start") and `config/train_shakespeare_char.py`; nanochat, `runs/runcpu.sh`
 */
export const RECIPES: Readonly<Record<string, RunOptions>> = {
  "nanogpt-cpu": NANOGPT_CPU,
  "nanogpt-gpu": {
    ...NANOGPT_CPU,
    model: { layers: 6, heads: 6, width: 384, context: 256, dropout: 0.2 },
    data: { rows: 64 },
    ...{ steps: 5000, evalEvery: 250, evalBatches: 200 },
  },
  nanochat: {
    model: {
      ...{ layers: 6, heads: 6, width: 384, context: 512 },
      ...{
        norm: "rms-plain",
        activation: "relu2",
        positions: "rope",
        ropeTheta: 100_000,
        qkNorm: 1.2,
        embeddingNorm: true,
      },
      ...{ softcap: 15, tied: false, init: "nanochat" },
    },
    data: { packing: "best-fit", documents: "paragraphs", rows: 32 },
    schedule: { kind: "trapezoid", warmup: 40, warmdown: 0.65, finalShare: 0.05 },
    optimizer: { kind: "muon", learningRate: 0.02, eps: 1e-10, weightDecay: 0.28, clip: 0 },
    ...{ steps: 5000, evalEvery: 100, evalBatches: 32 },
  },
  "gpt2-small": {
    ...NANOGPT_CPU,
    model: { layers: 12, heads: 12, width: 768, context: 1024 },
    data: { tokenizer: "hf", rows: 1 },
    optimizer: { learningRate: 6e-4, beta1: 0.9, beta2: 0.95, weightDecay: 0.1, clip: 1 },
    ...{ steps: 100, evalEvery: 50, evalBatches: 2 },
  },
  tiny: {
    model: { layers: 2, heads: 4, width: 64, context: 32 },
    data: { rows: 16 },
    schedule: { warmup: 20 },
    optimizer: { learningRate: 3e-3 },
    ...{ steps: 500, evalEvery: 100, evalBatches: 10 },
  },
  bigram: {
    model: { kind: "bigram", context: 32 },
    data: { rows: 32 },
    schedule: { kind: "constant", warmup: 0 },
    optimizer: { learningRate: 0.05, weightDecay: 0 },
    ...{ steps: 1000, evalEvery: 250, evalBatches: 20 },
  },
  "scalar-gpt": {
    engine: "scalar",
    model: { layers: 1, heads: 4, width: 16, context: 16, norm: "rms-plain", activation: "relu2", tied: false },
    data: { packing: "best-fit", documents: "lines", rows: 1 },
    schedule: { warmup: 10 },
    optimizer: { learningRate: 1e-2, beta1: 0.85, beta2: 0.99, weightDecay: 0 },
    ...{ steps: 500, evalEvery: 100, evalBatches: 10 },
  },
};

/** What is trained when nobody says. */
export const DEFAULT_RECIPE = "nanogpt-cpu";
