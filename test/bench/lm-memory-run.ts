/**
 * nanoGPT's CPU recipe step after step, in a process of its own; prints in JSON what it holds after some steps, and after a
 * thousand more.
 *
 *     node --expose-gc lm-memory-run.ts STEPS
 */
import { readFileSync } from "node:fs";
import {
  OptimizerSteps,
  openShardedBackend,
  parseRunConfig,
  prepareData,
  settleModel,
  TensorModel,
} from "@lockstep/cloud-node/lab";

/** What a process holds, bytes. */
export interface Held {
  /** JavaScript's objects, after a collection. */
  readonly heap: number;
  /** Memory of WebAssembly and of buffers. */
  readonly buffers: number;
  readonly resident: number;
}

/** By now everything is compiled. */
const WARM_UP = 100;
const SONNETS = new URL("../../cloud-node/src/workloads/language-model/sonnets.txt", import.meta.url);

const config = parseRunConfig({ recipe: "nanogpt-cpu" });
const data = prepareData(config, readFileSync(SONNETS, "utf8"));
const modelConfig = settleModel(config.model, data.tokenizer.vocabulary);
const backend = await openShardedBackend({ name: "wasm-strict", shards: 1, threads: 1 });
const model = await TensorModel.create(backend, modelConfig, config.data.rows, config.seed);
const updates = new OptimizerSteps(config, modelConfig);
let step = 0;

async function train(count: number): Promise<Held> {
  for (const end = step + count; step < end; step++) await model.train(data.training.next(), updates.at(step));
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed, buffers: external, resident: rss };
}

const before = await train(WARM_UP);
const after = await train(Number(process.argv[2]));
process.stdout.write(JSON.stringify([before, after]));
