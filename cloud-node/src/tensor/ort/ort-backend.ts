import type { Backend } from "../engine.ts";
import type { Program } from "../program.ts";
import { ProgramEngine } from "../program-engine.ts";
import type { Tensor } from "../tensor.ts";
import { TensorError } from "../tensor-error.ts";
import { layOutArena, reserveMemory } from "../wasm/arena-layout.ts";
import { compileTensorModule } from "../wasm/tensor-module.ts";
import { WasmArena } from "../wasm/wasm-arena.ts";
import { needsOf } from "../wasm/wasm-backend.ts";
import { openOnnxRuntime } from "./onnx-runtime.ts";
import { OrtCrew } from "./ort-crew.ts";

/** The program as one ONNX graph, run by ONNX Runtime on the processor; updates are our own kernels', over the same numbers. */
export const ortBackend: Backend = { name: "ort", load: (program) => loadOrt(program, 1) };

/**
 * Load a program into ONNX Runtime.
 *
 * @param threads  that share the work of each operator
 * @throws {TensorError} `no-onnxruntime`, `onnxruntime-failed`, `too-large`
 */
export async function loadOrt(program: Program, threads: number): Promise<OrtEngine> {
  const runtime = openOnnxRuntime();
  const module = compileTensorModule("wasm-strict");
  const layout = layOutArena(program, needsOf(module), 1);
  const arena = new WasmArena(module, reserveMemory(layout), layout, 0);
  return new OrtEngine(program, [arena], await OrtCrew.start(runtime, program, arena, threads));
}

/** What lies between a program's inputs and its output stays inside ONNX Runtime. */
class OrtEngine extends ProgramEngine {
  /** @throws {TensorError} `not-kept` for what is neither given to a run nor its output */
  override async read(tensor: Tensor, out?: Float32Array): Promise<Float32Array> {
    const { parameters, inputs, output } = this.program;
    const roots = [...parameters, ...inputs].map((named) => named.tensor);
    const root = tensor.view?.of ?? tensor;
    if (root === (output.view?.of ?? output) || roots.includes(root)) return super.read(tensor, out);
    throw new TensorError(
      "not-kept",
      "the backend ort keeps no tensor but a program's output",
      "build the program from that tensor",
    );
  }
}
