import type { Backend } from "../engine.ts";
import { ProgramEngine } from "../program-engine.ts";
import { layOutArena, type ModuleNeeds, reserveMemory } from "./arena-layout.ts";
import {
  compileTensorModule,
  instantiateTensorModule,
  type TensorBuild,
  type TensorModule,
  type VectorBits,
} from "./tensor-module.ts";
import { WasmArena } from "./wasm-arena.ts";

/** The default: the same bits on every machine. */
export const wasmStrictBackend: Backend = wasmBackend("wasm-strict");

/** With fused multiply-adds where the CPU has them: faster; the same bits on one machine only. */
export const wasmRelaxedBackend: Backend = wasmBackend("wasm-relaxed");

/** One of both. @param vectorBits  128: without the kernels for vectors of 256 bits, which the host may have */
export function wasmBackend(name: TensorBuild, vectorBits?: VectorBits): Backend {
  return {
    name,
    async load(program) {
      const module = compileTensorModule(name, vectorBits);
      const layout = layOutArena(program, needsOf(module), 1);
      return new ProgramEngine(program, [new WasmArena(module, reserveMemory(layout), layout, 0)]);
    },
  };
}

/** Asked of an instance over a memory that is thrown away. */
export function needsOf(module: TensorModule): ModuleNeeds {
  const smallest = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const { WORK_BYTES, heapStart } = instantiateTensorModule(module, smallest);
  return { heapStart: heapStart(), workBytes: Number(WORK_BYTES.value) };
}
