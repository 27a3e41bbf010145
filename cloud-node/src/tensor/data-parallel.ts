import type { Engine } from "./engine.ts";
import { mostPartCalls } from "./part-calls.ts";
import type { Program } from "./program.ts";
import { ProgramEngine } from "./program-engine.ts";
import { TensorError } from "./tensor-error.ts";
import { layOutArena, reserveMemory } from "./wasm/arena-layout.ts";
import { compileTensorModule, type TensorBuild, type VectorBits } from "./wasm/tensor-module.ts";
import { ThreadCrew } from "./wasm/thread-crew.ts";
import { WasmArena } from "./wasm/wasm-arena.ts";
import { needsOf } from "./wasm/wasm-backend.ts";

/** How a batch is cut, and how many threads work on the parts. */
export interface DataParallelOptions {
  readonly build: TensorBuild;
  /** Equal parts of a batch. Another number gives other roundings; threads do not. */
  readonly shards: number;
  /** From 1 to `shards`. */
  readonly threads: number;
  /** 256 unless given. */
  readonly vectorBits?: VectorBits | undefined;
}

/**
 * Load a program, recorded for one shard of a batch, for all shards. Inputs and what is read are those of the shards
 * one behind the other; a loss is the mean over all. Each shard's gradients are computed on their own and added in the
 * order of shards: for one batch and one number of shards, parameters are the same bits with any number of threads.
 *
 * @throws {TensorError} `bad-value` for a bad count, `too-large`, `no-relaxed-simd`, `thread-failed`
 */
export async function loadDataParallel(program: Program, options: DataParallelOptions): Promise<Engine> {
  const { build, shards, threads } = options;
  if (!Number.isInteger(shards) || !Number.isInteger(threads) || threads < 1 || threads > shards) {
    throw new TensorError("bad-value", `${threads} threads for ${shards} shards`, "1 thread or more, a shard for each");
  }
  const module = compileTensorModule(build, options.vectorBits);
  const layout = layOutArena(program, needsOf(module), shards);
  const memory = reserveMemory(layout);
  const first = new WasmArena(module, memory, layout, 0);
  const others = Array.from({ length: shards - 1 }, (_, shard) => new WasmArena(module, memory, layout, shard + 1));
  const most = mostPartCalls(program, shards);
  const crew = await ThreadCrew.start({ program, module, memory, layout }, [first, ...others], threads, most);
  return new ProgramEngine(program, [first, ...others], crew);
}
