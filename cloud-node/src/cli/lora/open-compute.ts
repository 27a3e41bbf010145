import { availableParallelism } from "node:os";
import { BACKEND_CHOICES, openBackend, type ShardedBackend } from "../../workloads/language-model/open-backend.ts";
import { vectorBitsOf } from "../lm/vector-bits.ts";
import type { ComputeOptions } from "../lora.ts";
import type { Surroundings } from "../surroundings.ts";

/** Opens a backend as the options say: parts of a batch are the caller's, threads the options'. */
export function computeOf({ env }: Surroundings, options: ComputeOptions): (shards: number) => Promise<ShardedBackend> {
  const { device, backend = BACKEND_CHOICES[0], threads = availableParallelism() } = options;
  const name = device === "gpu" ? "webgpu" : backend;
  const vectorBits = vectorBitsOf(env);
  return async (shards) => await openBackend({ name, shards, threads, vectorBits });
}
