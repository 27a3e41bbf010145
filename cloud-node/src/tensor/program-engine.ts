import type { Arena } from "./arena.ts";
import type { DropoutDraw, Engine, ParameterPart } from "./engine.ts";
import type { OptimizerStep } from "./optimizer.ts";
import { Optimizer } from "./optimizer-update.ts";
import type { Program, ProgramInput, ProgramParameter } from "./program.ts";
import { RandomStream } from "./random.ts";
import { type Crew, type Pass, singleThread } from "./shard-calls.ts";
import { type Address, rowsOf, sizeOf, type Tensor, widthOf } from "./tensor.ts";
import { TensorError } from "./tensor-error.ts";

type NumberView = Float32Array | Float64Array | Int32Array;

/**
 * Runs a program over one arena, or over one for each shard of a batch. The shards' gradients are added in the order
 * of shards, whoever computed them: results do not depend on how many threads a crew has.
 */
export class ProgramEngine implements Engine {
  readonly program: Program;
  readonly #parameters: ReadonlyMap<string, ProgramParameter>;
  readonly #arenas: readonly [Arena, ...Arena[]];
  readonly #inputs: ReadonlyMap<string, { readonly input: ProgramInput; readonly views: readonly NumberView[] }>;
  readonly #means: readonly { readonly targets: readonly NumberView[]; readonly denominators: readonly NumberView[] }[];
  readonly #outputs: readonly NumberView[];
  readonly #optimizer: Optimizer;
  #crew: Crew | undefined;

  /** @param crew  the calling thread when absent */
  constructor(program: Program, arenas: readonly [Arena, ...Arena[]], crew: Crew = singleThread(program, arenas)) {
    this.program = program;
    this.#arenas = arenas;
    this.#crew = crew;
    this.#parameters = new Map(program.parameters.map((parameter) => [parameter.name, parameter]));
    this.#optimizer = new Optimizer(program, arenas[0]);
    this.#inputs = new Map(
      program.inputs.map((input) => [
        input.name,
        { input, views: arenas.map((arena) => viewOf(arena, input.tensor, input.type)) },
      ]),
    );
    this.#means = program.losses.map(({ targets, denominator }) => ({
      targets: arenas.map((arena) => viewOf(arena, targets, "i32")),
      denominators: arenas.map((arena) => cellOf(arena, denominator)),
    }));
    this.#outputs = arenas.map((arena) => cellOf(arena, program.output));
    for (const { tensor, values } of program.constants) {
      for (const arena of arenas) viewOf(arena, tensor, "f32").set(values);
    }
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
    this.#openCrew();
    const found = this.#inputs.get(name);
    if (found === undefined) throw unknown("input", name);
    const { input, views } = found;
    const count = sizeOf(input.tensor.shape);
    checkCount(name, values.length, count * views.length);
    checkRange(input, values);
    for (const [shard, view] of views.entries()) view.set(values.subarray(shard * count, (shard + 1) * count));
  }

  setDropout(draw?: DropoutDraw): void {
    this.#openCrew();
    for (const { name, draw: place, count } of this.program.dropouts) {
      const key = draw === undefined ? 0 : new RandomStream(draw.seed, name, draw.step).nextWord();
      for (const [shard, arena] of this.#arenas.entries()) {
        const words = Int32Array.of(key, shard * count, draw === undefined ? 0 : 1);
        arena.integers(place.section, place.offset, words.length).set(words);
      }
    }
  }

  forward(): number {
    return this.#run("forward");
  }

  backward(): number {
    const loss = this.#run("backward");
    const [first, ...others] = this.#arenas;
    const count = this.program.sizes.gradient;
    for (const other of others) {
      first.kernels.copy(first.address("gradient", 0), other.address("gradient", 0), count, 1);
    }
    return loss;
  }

  step(update: OptimizerStep): number {
    this.#openCrew();
    return this.#optimizer.step(update);
  }

  read(tensor: Tensor, out?: Float32Array): Float32Array {
    this.#openCrew();
    const arenas = tensor.section === "value" ? [this.#arenas[0]] : this.#arenas;
    const count = sizeOf(tensor.shape);
    const target = out ?? new Float32Array(count * arenas.length);
    checkCount("a tensor", target.length, count * arenas.length);
    const [rows, width] = [rowsOf(tensor), widthOf(tensor)];
    for (const [shard, arena] of arenas.entries()) {
      for (let row = 0; row < rows; row++) {
        const from = arena.numbers(tensor.section, tensor.offset + row * tensor.stride, width);
        target.set(from, shard * count + row * width);
      }
    }
    return target;
  }

  close(): void {
    this.#crew?.close();
    this.#crew = undefined;
  }

  #run(pass: Pass): number {
    const crew = this.#openCrew();
    for (const { targets, denominators } of this.#means) {
      const count = Math.max(1, targets.map(countTargets).reduce(sum));
      for (const denominator of denominators) denominator[0] = count;
    }
    crew.run(pass);
    return this.#outputs.map((output) => output[0] ?? 0).reduce(sum);
  }

  #partOf(name: string, part: ParameterPart): Float32Array | Float64Array {
    this.#openCrew();
    const parameter = this.#parameters.get(name);
    if (parameter === undefined) throw unknown("parameter", name);
    const { tensor, gradient } = parameter;
    const count = sizeOf(tensor.shape);
    if (part === "value") return this.#arenas[0].numbers("value", tensor.offset, count);
    if (gradient === undefined || this.program.sizes.gradient === 0) {
      throw new TensorError("no-gradient", `the ${part} of "${name}", which is not trained`, "ask for its value");
    }
    return this.#arenas[0].numbers(part, gradient.offset, count);
  }

  #openCrew(): Crew {
    if (this.#crew === undefined) throw new TensorError("closed", "the engine is closed", "load the program again");
    return this.#crew;
  }
}

function viewOf(arena: Arena, { section, offset, shape }: Tensor, type: "i32" | "f32"): NumberView {
  const count = sizeOf(shape);
  return type === "i32" ? arena.integers(section, offset, count) : arena.numbers(section, offset, count);
}

function cellOf(arena: Arena, { section, offset }: Address): Float32Array | Float64Array {
  return arena.numbers(section, offset, 1);
}

/** Targets that are not masked. */
function countTargets(targets: NumberView): number {
  let count = 0;
  for (let at = 0; at < targets.length; at++) if ((targets[at] ?? -1) >= 0) count++;
  return count;
}

function sum(a: number, b: number): number {
  return a + b;
}

function checkCount(what: string, have: number, need: number): void {
  if (have === need) return;
  throw new TensorError("shape-mismatch", `${have} numbers for ${what}, which has ${need}`, "give as many as it has");
}

/** Kernels go where whole numbers say: those of an embedding, a cache or a row of logits must lie in it. */
function checkRange({ name, range }: ProgramInput, values: Int32Array | Float32Array): void {
  if (range === undefined) return;
  const at = values.findIndex((value) => !Number.isInteger(value) || value < range.from || value >= range.below);
  if (at < 0) return;
  const problem = `"${name}" holds ${values[at]} at ${at}`;
  throw new TensorError("bad-value", problem, `whole numbers from ${range.from} on, below ${range.below}`);
}

function unknown(kind: string, name: string): TensorError {
  return new TensorError("unknown-name", `the program has no ${kind} "${name}"`, "use a name that it was built with");
}
