import type { Backend } from "../engine.ts";
import { ProgramEngine } from "../program-engine.ts";
import { layOutArena, type ModuleNeeds, reserveMemory } from "./arena-layout.ts";
import { compileTensorModule, instantiateTensorModule, type TensorBuild } from "./tensor-module.ts";
import { WasmArena } from "./wasm-arena.ts";

/** The default: the same bits on every machine. */
export const wasmStrictBackend: Backend = makeBackend("wasm-strict");

/** With fused multiply-adds where the CPU has them: faster; the same bits on one machine only. */
export const wasmRelaxedBackend: Backend = makeBackend("wasm-relaxed");

function makeBackend(name: TensorBuild): Backend {
  return {
    name,
    async load(program) {
      const module = compileTensorModule(name);
      const layout = layOutArena(program, needsOf(module), 1);
      return new ProgramEngine(program, [new WasmArena(module, reserveMemory(layout), layout, 0)]);
    },
  };
}

/** Asked of an instance over a memory that is thrown away. */
export function needsOf(module: WebAssembly.Module): ModuleNeeds {
  const smallest = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const { WORK_BYTES, heapStart } = instantiateTensorModule(module, smallest);
  return { heapStart: heapStart(), workBytes: Number(WORK_BYTES.value) };
}
