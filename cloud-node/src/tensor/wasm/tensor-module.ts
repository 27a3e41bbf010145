import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Kernels, UpdateKernels } from "../kernels.ts";
import { TensorError } from "../tensor-error.ts";
import { haveSameBits, WIDE_KERNELS } from "./wide-kernels.ts";
import { compileWide } from "./wide-vectors.ts";

/** The two builds of the one source: `cloud-node/assembly/tensor.ts`. */
export type TensorBuild = "wasm-strict" | "wasm-relaxed";

/**
 * Bits of the host's vectors that kernels are compiled for: 256 where the host's V8 makes one instruction of a pair of
 * WebAssembly's vectors, otherwise 128. Results are the same bits with both.
 */
export type VectorBits = 128 | 256;

/** A build as it was compiled, which threads may be given. */
export interface TensorModule {
  readonly narrow: WebAssembly.Module;
  /** Compiled for vectors of 256 bits, where the host can, and found to give the same bits: for `WIDE_KERNELS`. */
  readonly wide: WebAssembly.Module | undefined;
}

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

/** What was compiled, by build and bits: it is the same for every engine. */
const compiled = new Map<string, TensorModule>();

/** Compile a build from the package's own files, once. @throws {TensorError} `no-relaxed-simd` */
export function compileTensorModule(build: TensorBuild, vectorBits: VectorBits = 256): TensorModule {
  const key = `${build}/${vectorBits}`;
  const found = compiled.get(key);
  if (found !== undefined) return found;
  const file = fileURLToPath(new URL(`../../../build/${FILES[build]}`, import.meta.url));
  const bytes = readFileSync(file);
  try {
    const narrow = new WebAssembly.Module(bytes);
    const wide = vectorBits === 256 ? compileWide(bytes) : undefined;
    const isSame = wide !== undefined && haveSameBits(instantiator(narrow, 0), instantiator(wide, 1));
    const module = { narrow, wide: isSame ? wide : undefined };
    compiled.set(key, module);
    return module;
  } catch (cause) {
    if (build === "wasm-strict") throw cause;
    const remedy = "use wasm-strict, or Node 24";
    throw new TensorError("no-relaxed-simd", "this host's WebAssembly has no relaxed SIMD", remedy, { cause });
  }
}

/** Instances over a memory that others may share: kernels of the wide one where there is one, all others of the narrow one. */
export function instantiateTensorModule({ narrow, wide }: TensorModule, memory: WebAssembly.Memory): TensorExports {
  const kernels = instantiator(narrow, 0)(memory);
  if (wide === undefined) return kernels;
  const wideKernels = instantiator(wide, 1)(memory);
  const chosen = Object.fromEntries(WIDE_KERNELS.map((name) => [name, wideKernels[name]]));
  const setWorkArea = (at: number) => {
    kernels.setWorkArea(at);
    wideKernels.setWorkArea(at);
  };
  return { ...kernels, ...chosen, setWorkArea };
}

function instantiator(module: WebAssembly.Module, wide: number): (memory: WebAssembly.Memory) => TensorExports {
  return (memory) => {
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const kernels = exports as unknown as TensorExports;
    kernels.setWide(wide);
    return kernels;
  };
}
