import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Kernels, UpdateKernels } from "../kernels.ts";
import { TensorError } from "../tensor-error.ts";
import { compileWide, isCompiledWide } from "./wide-vectors.ts";

/** The two builds of the one source: `cloud-node/assembly/tensor.ts`. */
export type TensorBuild = "wasm-strict" | "wasm-relaxed";

/**
 * Bits of the host's vectors that kernels are compiled for: 256 where the host's V8 makes one instruction of a pair of
 * WebAssembly's vectors, otherwise 128. Results are the same bits with both.
 */
export type VectorBits = 128 | 256;

/** What an instance exports. Addresses are in bytes. */
export interface TensorExports extends Kernels, UpdateKernels {
  readonly WORK_BYTES: WebAssembly.Global;
  heapStart(): number;
  setWorkArea(at: number): void;
  /** 1 where pairs of vectors are one register. */
  setWide(wide: number): void;
  attentionScratch(T: number, headDim: number): number;
}

const FILES: Readonly<Record<TensorBuild, string>> = {
  "wasm-strict": "tensor.wasm",
  "wasm-relaxed": "tensor-relaxed.wasm",
};

/** Compile a build from the package's own files. @throws {TensorError} `no-relaxed-simd` */
export function compileTensorModule(build: TensorBuild, vectorBits: VectorBits = 128): WebAssembly.Module {
  const file = fileURLToPath(new URL(`../../../build/${FILES[build]}`, import.meta.url));
  const bytes = readFileSync(file);
  try {
    return vectorBits === 256 ? compileWide(bytes) : new WebAssembly.Module(bytes);
  } catch (cause) {
    if (build === "wasm-strict") throw cause;
    const remedy = "use wasm-strict, or Node 24";
    throw new TensorError("no-relaxed-simd", "this host's WebAssembly has no relaxed SIMD", remedy, { cause });
  }
}

/** An instance over a memory that others may share. */
export function instantiateTensorModule(module: WebAssembly.Module, memory: WebAssembly.Memory): TensorExports {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = exports as unknown as TensorExports;
  kernels.setWide(isCompiledWide(module) ? 1 : 0);
  return kernels;
}
