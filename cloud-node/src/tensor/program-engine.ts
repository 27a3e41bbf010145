import type { Arena } from "./arena.ts";
import type { DropoutDraw, Engine, ParameterPart, TrainOutcome } from "./engine.ts";
import { checkCount, checkRange, closedEngine, countTargets, noGradient, unknownName } from "./engine-checks.ts";
import type { OptimizerStep } from "./optimizer.ts";
import { clipScale, Optimizer, updateArena } from "./optimizer-update.ts";
import { type CallParts, callPartsHere, type PartCall, PartList, partsOf } from "./part-calls.ts";
import type { Program, ProgramInput, ProgramParameter } from "./program.ts";
import { RandomStream } from "./random.ts";
import { type Crew, type Pass, singleThread } from "./shard-calls.ts";
import { type Address, rowsOf, sizeOf, type Tensor, widthOf } from "./tensor.ts";

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
  readonly #callParts: CallParts;
  /** The other shards' gradients are added to the first's. */
  readonly #additions: readonly PartCall[];
  readonly #squares: readonly PartCall[];
  /** Of the step that is under way. */
  readonly #updates = new PartList();
  readonly #optimizer: Optimizer;
  #crew: Crew | undefined;

  /** @param crew  the calling thread when absent */
  constructor(program: Program, arenas: readonly [Arena, ...Arena[]], crew: Crew = singleThread(program, arenas)) {
    this.program = program;
    this.#arenas = arenas;
    this.#crew = crew;
    this.#parameters = new Map(program.parameters.map((parameter) => [parameter.name, parameter]));
    const [first, ...others] = arenas;
    const gradientsOf = (arena: Arena, start: number) => arena.address("gradient", start);
    const parts = partsOf(program.sizes.gradient);
    this.#additions = parts.flatMap(({ part, start, length }) =>
      others.map((other): PartCall => {
        return { part, kernel: "copy", args: [gradientsOf(first, start), gradientsOf(other, start), length, 1] };
      }),
    );
    this.#squares = parts.map(({ part, start, length }): PartCall => {
      return { part, kernel: "sumOfSquares", args: [gradientsOf(first, start), length] };
    });
    this.#callParts = crew.callParts?.bind(crew) ?? callPartsHere(first);
    this.#optimizer = new Optimizer(program, updateArena(first, this.#updates));
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

  async get(name: string, part: ParameterPart = "value", out?: Float32Array): Promise<Float32Array> {
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
    if (found === undefined) throw unknownName("input", name);
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

  async forward(): Promise<number> {
    return this.#run("forward");
  }

  async backward(): Promise<number> {
    const loss = await this.#run("backward");
    if (this.#additions.length > 0) await this.#callParts(this.#additions);
    return loss;
  }

  async step(update: OptimizerStep): Promise<number> {
    this.#openCrew();
    this.#optimizer.check(update);
    const norm = Math.sqrt(Array.from(await this.#callParts(this.#squares)).reduce(sum, 0));
    if (!Number.isFinite(norm)) return norm;
    this.#updates.clear();
    this.#optimizer.apply(update, clipScale(norm, update));
    await this.#callParts(this.#updates.calls);
    return norm;
  }

  async train(update: OptimizerStep): Promise<TrainOutcome> {
    const loss = await this.backward();
    return { loss, gradientNorm: Number.isFinite(loss) ? await this.step(update) : Number.NaN };
  }

  async read(tensor: Tensor, out?: Float32Array): Promise<Float32Array> {
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

  async #run(pass: Pass): Promise<number> {
    const crew = this.#openCrew();
    for (const { targets, denominators } of this.#means) {
      const count = Math.max(1, targets.map(countTargets).reduce(sum));
      for (const denominator of denominators) denominator[0] = count;
    }
    await crew.run(pass);
    return this.#outputs.map((output) => output[0] ?? 0).reduce(sum);
  }

  #partOf(name: string, part: ParameterPart): Float32Array | Float64Array {
    this.#openCrew();
    const parameter = this.#parameters.get(name);
    if (parameter === undefined) throw unknownName("parameter", name);
    const { tensor, gradient } = parameter;
    const count = sizeOf(tensor.shape);
    if (part === "value") return this.#arenas[0].numbers("value", tensor.offset, count);
    if (gradient === undefined || this.program.sizes.gradient === 0) {
      throw noGradient(name, part);
    }
    return this.#arenas[0].numbers(part, gradient.offset, count);
  }

  #openCrew(): Crew {
    if (this.#crew === undefined) throw closedEngine();
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

function sum(a: number, b: number): number {
  return a + b;
}
