import { type Arena, bindCalls } from "./arena.ts";
import type { Engine, ParameterPart } from "./engine.ts";
import type { OptimizerStep } from "./optimizer.ts";
import { Optimizer } from "./optimizer-update.ts";
import type { Program, ProgramParameter } from "./program.ts";
import { type Address, rowsOf, sizeOf, type Tensor, widthOf } from "./tensor.ts";
import { TensorError } from "./tensor-error.ts";

/** Runs one program in one arena, with whatever kernels the arena has. */
export class ProgramEngine implements Engine {
  readonly program: Program;
  readonly #parameters: ReadonlyMap<string, ProgramParameter>;
  readonly #inputs: ReadonlyMap<string, Float32Array | Float64Array | Int32Array>;
  #open: OpenArena | undefined;

  constructor(program: Program, arena: Arena) {
    this.program = program;
    this.#parameters = new Map(program.parameters.map((parameter) => [parameter.name, parameter]));
    this.#inputs = new Map(program.inputs.map(({ name, tensor, type }) => [name, viewOf(arena, tensor, type)]));
    this.#open = new OpenArena(program, arena);
  }

  get(name: string, part: ParameterPart = "value", out?: Float32Array): Float32Array {
    const view = this.#partOf(name, part);
    const target = out ?? new Float32Array(view.length);
    checkCount(name, target.length, view.length);
    target.set(view);
    return target;
  }

  set(name: string, values: Float32Array, part: ParameterPart = "value"): void {
    const view = this.#partOf(name, part);
    checkCount(name, values.length, view.length);
    view.set(values);
  }

  input(name: string, values: Int32Array | Float32Array): void {
    this.#arena();
    const view = this.#inputs.get(name);
    if (view === undefined) throw unknown("input", name);
    checkCount(name, values.length, view.length);
    view.set(values);
  }

  forward(): number {
    return this.#arena().forward();
  }

  backward(): number {
    return this.#arena().backward();
  }

  step(update: OptimizerStep): number {
    return this.#arena().optimizer.step(update);
  }

  read(tensor: Tensor, out = new Float32Array(sizeOf(tensor.shape))): Float32Array {
    const { arena } = this.#arena();
    checkCount("a tensor", out.length, sizeOf(tensor.shape));
    const [rows, width] = [rowsOf(tensor), widthOf(tensor)];
    for (let row = 0; row < rows; row++) {
      out.set(arena.numbers(tensor.section, tensor.offset + row * tensor.stride, width), row * width);
    }
    return out;
  }

  close(): void {
    this.#open = undefined;
  }

  #partOf(name: string, part: ParameterPart): Float32Array | Float64Array {
    const { arena } = this.#arena();
    const parameter = this.#parameters.get(name);
    if (parameter === undefined) throw unknown("parameter", name);
    const { tensor, gradient } = parameter;
    if (part === "value") return arena.numbers("value", tensor.offset, sizeOf(tensor.shape));
    if (gradient === undefined || this.program.sizes.gradient === 0) {
      throw new TensorError("no-gradient", `the ${part} of "${name}", which is not trained`, "ask for its value");
    }
    return arena.numbers(part, gradient.offset, sizeOf(tensor.shape));
  }

  #arena(): OpenArena {
    if (this.#open === undefined) throw new TensorError("closed", "the engine is closed", "load the program again");
    return this.#open;
  }
}

/** An arena with the program's calls bound to it. */
class OpenArena {
  readonly arena: Arena;
  readonly optimizer: Optimizer;
  readonly #forward: readonly (() => void)[];
  readonly #backward: readonly (() => void)[];
  readonly #means: readonly { readonly targets: NumberView; readonly denominator: NumberView }[];
  readonly #output: NumberView;

  constructor(program: Program, arena: Arena) {
    this.arena = arena;
    this.optimizer = new Optimizer(program, arena);
    this.#forward = bindCalls(program.forward, arena);
    this.#backward = bindCalls(program.backward, arena);
    this.#means = program.losses.map(({ targets, denominator }) => ({
      targets: viewOf(arena, targets, "i32"),
      denominator: cellOf(arena, denominator),
    }));
    this.#output = cellOf(arena, program.output);
    for (const { tensor, values } of program.constants) viewOf(arena, tensor, "f32").set(values);
  }

  forward(): number {
    for (const { targets, denominator } of this.#means) denominator[0] = countTargets(targets);
    for (const call of this.#forward) call();
    return this.#output[0] ?? 0;
  }

  backward(): number {
    const loss = this.forward();
    for (const call of this.#backward) call();
    return loss;
  }
}

type NumberView = Float32Array | Float64Array | Int32Array;

function viewOf(arena: Arena, { section, offset, shape }: Tensor, type: "i32" | "f32"): NumberView {
  const count = sizeOf(shape);
  return type === "i32" ? arena.integers(section, offset, count) : arena.numbers(section, offset, count);
}

function cellOf(arena: Arena, { section, offset }: Address): Float32Array | Float64Array {
  return arena.numbers(section, offset, 1);
}

/** Targets that are not masked; 1 where all are, so that a loss of nothing is 0. */
function countTargets(targets: NumberView): number {
  let count = 0;
  for (let at = 0; at < targets.length; at++) if ((targets[at] ?? -1) >= 0) count++;
  return Math.max(count, 1);
}

function checkCount(what: string, have: number, need: number): void {
  if (have === need) return;
  throw new TensorError("shape-mismatch", `${have} numbers for ${what}, which has ${need}`, "give as many as it has");
}

function unknown(kind: string, name: string): TensorError {
  return new TensorError("unknown-name", `the program has no ${kind} "${name}"`, "use a name that it was built with");
}
