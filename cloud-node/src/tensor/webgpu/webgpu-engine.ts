import type { DropoutDraw, Engine, ParameterPart, TrainOutcome } from "../engine.ts";
import { checkCount, checkRange, closedEngine, countTargets, noGradient, unknownName } from "../engine-checks.ts";
import type { OptimizerStep } from "../optimizer.ts";
import type { Program, ProgramInput, ProgramParameter } from "../program.ts";
import { RandomStream } from "../random.ts";
import { rowsOf, sizeOf, type Tensor, widthOf } from "../tensor.ts";
import type { ReadPlace } from "./device-arena.ts";
import type { GpuLine } from "./gpu-line.ts";

/** A program on a graphics processor. What is given is checked here, and what is asked for comes from there. */
export class WebGpuEngine implements Engine {
  readonly program: Program;
  readonly #line: GpuLine;
  readonly #engine: number;
  readonly #parameters: ReadonlyMap<string, ProgramParameter>;
  readonly #inputs: ReadonlyMap<string, ProgramInput>;
  #isClosed = false;

  private constructor(program: Program, line: GpuLine, engine: number) {
    this.program = program;
    this.#line = line;
    this.#engine = engine;
    this.#parameters = new Map(program.parameters.map((parameter) => [parameter.name, parameter]));
    this.#inputs = new Map(program.inputs.map((input) => [input.name, input]));
  }

  /** @throws {TensorError} `too-large`, `no-device`, `device-lost` */
  static async load(program: Program, line: GpuLine): Promise<WebGpuEngine> {
    const engine = new WebGpuEngine(program, line, line.nextEngine());
    await line.ask({ kind: "load", engine: engine.#engine, program });
    // Until it is told otherwise, every target is 0, and counts.
    for (const { targets } of program.losses) engine.#count(targets, new Int32Array(sizeOf(targets.shape)));
    return engine;
  }

  async get(name: string, part: ParameterPart = "value", out?: Float32Array): Promise<Float32Array> {
    const place = this.#partOf(name, part);
    if (out !== undefined) checkCount(name, out.length, place.count);
    return into(await this.#read(place), out);
  }

  set(name: string, values: Float32Array, part: ParameterPart = "value"): void {
    const { section, offset, count } = this.#partOf(name, part);
    checkCount(name, values.length, count);
    this.#write(section, offset, values);
  }

  input(name: string, values: Int32Array | Float32Array): void {
    this.#checkOpen();
    const input = this.#inputs.get(name);
    if (input === undefined) throw unknownName("input", name);
    const { tensor, type } = input;
    checkCount(name, values.length, sizeOf(tensor.shape));
    checkRange(input, values);
    const given = type === "i32" ? Int32Array.from(values) : Float32Array.from(values);
    this.#write("work", tensor.offset, given);
    this.#count(tensor, given);
  }

  setDropout(draw?: DropoutDraw): void {
    this.#checkOpen();
    for (const { name, draw: place } of this.program.dropouts) {
      const key = draw === undefined ? 0 : new RandomStream(draw.seed, name, draw.step).nextWord();
      this.#write("work", place.offset, Int32Array.of(key, 0, draw === undefined ? 0 : 1));
    }
  }

  forward(): Promise<number> {
    return this.#ask({ kind: "run", pass: "forward" });
  }

  backward(): Promise<number> {
    return this.#ask({ kind: "run", pass: "backward" });
  }

  step(update: OptimizerStep): Promise<number> {
    return this.#ask({ kind: "step", update });
  }

  train(update: OptimizerStep): Promise<TrainOutcome> {
    return this.#ask({ kind: "train", update });
  }

  async read(tensor: Tensor, out?: Float32Array): Promise<Float32Array> {
    this.#checkOpen();
    const [rows, width] = [rowsOf(tensor), widthOf(tensor)];
    if (out !== undefined) checkCount("a tensor", out.length, rows * width);
    const section = tensor.section === "scratch" ? "work" : tensor.section;
    const count = (rows - 1) * tensor.stride + width;
    const all = await this.#read({ section, offset: tensor.offset, count });
    if (count === rows * width) return into(all, out);
    const target = out ?? new Float32Array(rows * width);
    for (let row = 0; row < rows; row++) {
      target.set(all.subarray(row * tensor.stride, row * tensor.stride + width), row * width);
    }
    return target;
  }

  close(): void {
    if (!this.#isClosed) this.#line.tell({ kind: "close", engine: this.#engine });
    this.#isClosed = true;
  }

  /** Where a loss is a mean over targets, how many it is over. */
  #count({ offset }: Tensor, values: ArrayLike<number>): void {
    for (const { targets, denominator } of this.program.losses) {
      if (targets.offset !== offset) continue;
      this.#write("work", denominator.offset, Float32Array.of(Math.max(1, countTargets(values))));
    }
  }

  #partOf(name: string, part: ParameterPart): ReadPlace {
    this.#checkOpen();
    const parameter = this.#parameters.get(name);
    if (parameter === undefined) throw unknownName("parameter", name);
    const { tensor, gradient } = parameter;
    const count = sizeOf(tensor.shape);
    if (part === "value") return { section: "value", offset: tensor.offset, count };
    if (gradient === undefined || this.program.sizes.gradient === 0) throw noGradient(name, part);
    return { section: part, offset: gradient.offset, count };
  }

  async #ask<Value>(order: Request): Promise<Value> {
    this.#checkOpen();
    return (await this.#line.ask({ ...order, engine: this.#engine })) as Value;
  }

  #read(place: ReadPlace): Promise<Float32Array> {
    return this.#ask({ kind: "read", place });
  }

  #write(section: ReadPlace["section"], offset: number, values: Float32Array | Int32Array): void {
    this.#line.tell({ kind: "write", engine: this.#engine, section, offset, values });
  }

  #checkOpen(): void {
    if (this.#isClosed) throw closedEngine();
  }
}

type Request =
  | { readonly kind: "run"; readonly pass: "forward" | "backward" }
  | { readonly kind: "step" | "train"; readonly update: OptimizerStep }
  | { readonly kind: "read"; readonly place: ReadPlace };

function into(values: Float32Array, out: Float32Array | undefined): Float32Array {
  if (out === undefined) return values;
  out.set(values);
  return out;
}
