import type { Engine } from "../../tensor/engine.ts";
import type { Program } from "../../tensor/program.ts";
import type { VectorBits } from "../../tensor/wasm/tensor-module.ts";

/** Backends of the tensor engine that can be asked for, the one that is taken unless somebody says otherwise first. */
export const BACKEND_CHOICES = ["wasm-strict", "wasm-relaxed", "ort", "webgpu", "js"] as const;
export type BackendChoice = (typeof BACKEND_CHOICES)[number];

/** How batches are computed. */
export interface BackendRequest {
  readonly name: BackendChoice;
  /** Parts of a batch that are computed by themselves; they, and not threads, decide about the last bits. */
  readonly shards: number;
  /** More of them than shards have nothing to do. */
  readonly threads: number;
  /** Of the WebAssembly backends; 256 unless given. */
  readonly vectorBits?: VectorBits | undefined;
}

/** A backend that runs a program, recorded for one shard, for all of them. */
export interface ShardedBackend {
  readonly name: BackendChoice;
  readonly shards: number;
  load(program: Program): Promise<Engine>;
}

/** A backend; its code is loaded only when it is asked for. `js`, `ort` and `webgpu` have one shard. */
export async function openBackend({ name, shards, threads, vectorBits }: BackendRequest): Promise<ShardedBackend> {
  if (name === "js") {
    const { jsBackend } = await import("../../tensor/js/js-backend.ts");
    return { name, shards: 1, load: (program) => jsBackend.load(program) };
  }
  if (name === "ort") {
    const { loadOrt } = await import("../../tensor/ort/ort-backend.ts");
    return { name, shards: 1, load: (program) => loadOrt(program, threads) };
  }
  if (name === "webgpu") {
    const { webGpuBackend } = await import("../../tensor/webgpu/webgpu-backend.ts");
    const backend = webGpuBackend({ isSoftware: false });
    return { name, shards: 1, load: (program) => backend.load(program) };
  }
  if (shards === 1) {
    const { wasmBackend } = await import("../../tensor/wasm/wasm-backend.ts");
    return { name, shards, load: (program) => wasmBackend(name, vectorBits).load(program) };
  }
  const { loadDataParallel } = await import("../../tensor/data-parallel.ts");
  const options = { build: name, shards, threads: Math.min(threads, shards), vectorBits };
  return { name, shards, load: (program) => loadDataParallel(program, options) };
}
