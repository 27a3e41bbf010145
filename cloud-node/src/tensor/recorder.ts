import { ArenaPlan } from "./arena-plan.ts";
import { type CallArguments, GradientTape, rootOf } from "./gradient-tape.ts";
import type { KernelName } from "./kernels.ts";
import type {
  KernelCall,
  MeanLoss,
  Program,
  ProgramConstant,
  ProgramDropout,
  ProgramInput,
  ProgramParameter,
} from "./program.ts";
import { type Address, isContiguous, sizeOf, type Tensor } from "./tensor.ts";
import { TensorError } from "./tensor-error.ts";

/** Records the backward half of one operation. @param grad  the gradient of its result */
export type Backward = (tape: GradientTape, grad: Address) => void;

/** Largest count of one tensor: every address must be a whole number of 32 bits. */
const MAX_COUNT = 2 ** 29;

/** What operations record into: tensors, calls, and how their gradients come about. */
export class Recorder {
  readonly #values = new ArenaPlan("value");
  readonly #gradients = new ArenaPlan("gradient");
  readonly #work = new ArenaPlan("work");
  readonly #parameters: ProgramParameter[] = [];
  readonly #inputs: ProgramInput[] = [];
  readonly #constants: ProgramConstant[] = [];
  readonly #constantOf = new Map<string, Tensor>();
  readonly #losses: MeanLoss[] = [];
  readonly #dropouts: ProgramDropout[] = [];
  readonly #forward: KernelCall[] = [];
  readonly #backward: { readonly out: Tensor; readonly record: Backward | undefined }[] = [];
  readonly #needs = new Set<Tensor>();
  readonly #views = new Map<Tensor, readonly Tensor[]>();
  #scratchSize = 0;

  parameter(name: string, shape: readonly number[], isTrained: boolean): Tensor {
    this.#checkName(name);
    const tensor = makeTensor(shape, this.#values);
    const gradient = isTrained ? this.#gradients.reserve(sizeOf(shape)) : undefined;
    this.#parameters.push({ name, tensor, gradient, matrix: undefined });
    if (isTrained) this.#needs.add(tensor);
    return tensor;
  }

  input(name: string, shape: readonly number[], type: "i32" | "f32"): Tensor {
    this.#checkName(name);
    const tensor = this.reserve(shape);
    this.#inputs.push({ name, tensor, type, range: undefined });
    return tensor;
  }

  /** Numbers that never change. @param name  says what they are: of each there is one */
  constant(name: string, shape: readonly number[], values: () => Float64Array): Tensor {
    const known = this.#constantOf.get(name);
    if (known !== undefined) return known;
    const tensor = this.reserve(shape);
    this.#constants.push({ tensor, values: values() });
    this.#constantOf.set(name, tensor);
    return tensor;
  }

  /** Room for numbers that have no gradient, such as the statistics of a norm. */
  reserve(shape: readonly number[]): Tensor {
    return makeTensor(shape, this.#work);
  }

  /** Room that a kernel may use until it returns. */
  scratch(count: number): Address {
    this.#scratchSize = Math.max(this.#scratchSize, count);
    return { section: "scratch", offset: 0 };
  }

  /** Other tensors over the numbers of one: the same under another shape, or all of its columns in parts. */
  addViews(of: Tensor, views: readonly Tensor[]): void {
    if (views.length > 1) this.#views.set(of, views);
  }

  addLoss(loss: MeanLoss): void {
    this.#losses.push(loss);
  }

  /** Numbers may be left out, by a stream of this name. @returns where the engine says which */
  addDropout(name: string, rate: number, count: number): Address {
    if (!(rate >= 0 && rate < 1)) {
      throw new TensorError("bad-value", `dropout "${name}" of a share ${rate}`, "leave out from 0 to below 1");
    }
    if (this.#dropouts.some((dropout) => dropout.name === name)) {
      throw new TensorError("name-taken", `there is a dropout "${name}" already`, "give every one its own name");
    }
    const draw = this.reserve([3]);
    this.#dropouts.push({ name, draw, count });
    return draw;
  }

  /** A parameter is the weight of a matrix product; its first use says which way round. */
  markMatrix(weight: Tensor, matrix: NonNullable<ProgramParameter["matrix"]>): void {
    const index = this.#parameters.findIndex(({ tensor }) => tensor === weight);
    const parameter = this.#parameters[index];
    if (parameter !== undefined && parameter.matrix === undefined) this.#parameters[index] = { ...parameter, matrix };
  }

  /**
   * A kernel goes by the numbers of an input: from `from` on, below `below`; the narrowest of its uses counts.
   *
   * @throws {TensorError} `bad-value` for what is no input of whole numbers
   */
  limit(operation: string, tensor: Tensor, from: number, below: number): void {
    const index = this.#inputs.findIndex((input) => input.tensor === rootOf(tensor));
    const input = this.#inputs[index];
    if (input?.type !== "i32") {
      throw new TensorError("bad-value", `${operation} by what is no i32 input`, "give it an input of that type");
    }
    const { range } = input;
    const both = { from: Math.max(from, range?.from ?? from), below: Math.min(below, range?.below ?? below) };
    this.#inputs[index] = { ...input, range: both };
  }

  /** Record a call of the forward half. */
  call<Name extends KernelName>(kernel: Name, ...args: CallArguments<Name>): void {
    this.#forward.push({ kernel, args });
  }

  /**
   * A tensor that an operation makes.
   *
   * @param from  its operands
   * @param backward  absent where no gradient can go through
   */
  result(shape: readonly number[], from: readonly Tensor[], backward: Backward | undefined): Tensor {
    const out = this.reserve(shape);
    if (backward !== undefined && from.some((operand) => this.#needs.has(rootOf(operand)))) this.#needs.add(out);
    this.#backward.push({ out, record: backward });
    return out;
  }

  /** @param withGradients  whether to derive the backward half, from `output`, a scalar */
  build(output: Tensor, withGradients: boolean): Program {
    const backward = withGradients ? this.#deriveBackward(output) : [];
    return {
      parameters: this.#parameters,
      inputs: this.#inputs,
      constants: this.#constants,
      losses: this.#losses,
      dropouts: this.#dropouts,
      output,
      forward: this.#forward,
      backward,
      sizes: {
        value: this.#values.size,
        gradient: withGradients ? this.#gradients.size : 0,
        work: this.#work.size,
        scratch: this.#scratchSize,
      },
    };
  }

  #deriveBackward(loss: Tensor): KernelCall[] {
    if (sizeOf(loss.shape) !== 1) {
      throw new TensorError("shape-mismatch", `a loss of shape ${shapeText(loss.shape)}`, "build from a scalar");
    }
    if (!this.#needs.has(rootOf(loss))) {
      throw new TensorError("no-gradient", "the loss depends on no trained parameter", "build without gradients");
    }
    const trained = this.#parameters.flatMap(({ tensor, gradient }) => (gradient ? [[tensor, gradient] as const] : []));
    const tape = new GradientTape(this.#work, this.#needs, this.#views, new Map(trained));
    tape.call("fill", tape.give(loss).address, 1, 1, 1, 1);
    for (const { out, record } of this.#backward.toReversed()) {
      const grad = this.#needs.has(out) ? tape.take(out) : undefined;
      if (grad === undefined) continue;
      record?.(tape, grad);
      tape.close(out);
    }
    for (const [tensor] of trained) {
      if (tape.take(tensor) !== undefined) continue;
      const count = sizeOf(tensor.shape);
      tape.call("fill", tape.give(tensor).address, 1, count, count, 0);
    }
    return tape.calls;
  }

  #checkName(name: string): void {
    const names = [...this.#parameters, ...this.#inputs].map((named) => named.name);
    if (!names.includes(name)) return;
    throw new TensorError("name-taken", `there is a "${name}" already`, "give every parameter and input its own name");
  }
}

function makeTensor(shape: readonly number[], plan: ArenaPlan): Tensor {
  const count = sizeOf(shape);
  if (shape.length === 0 || !shape.every((length) => Number.isInteger(length) && length > 0)) {
    throw new TensorError("bad-value", `a tensor of shape ${shapeText(shape)}`, "lengths are whole numbers from 1 on");
  }
  if (count > MAX_COUNT) {
    throw new TensorError("too-large", `a tensor of ${count} numbers`, `at most ${MAX_COUNT} fit; make it smaller`);
  }
  const { section, offset } = plan.reserve(count);
  return { section, offset, shape, stride: shape.at(-1) ?? 1, view: undefined };
}

/** @throws {TensorError} `not-contiguous` where a tensor is some of another's columns */
export function checkContiguous(operation: string, ...tensors: readonly (Tensor | undefined)[]): void {
  for (const tensor of tensors) {
    if (tensor === undefined || isContiguous(tensor)) continue;
    const problem = `${operation} of columns of a wider tensor, ${shapeText(tensor.shape)} with stride ${tensor.stride}`;
    throw new TensorError("not-contiguous", problem, "only attention and rope take parts of a split");
  }
}

/** @throws {TensorError} `shape-mismatch` unless the shapes hold the same count */
export function checkShape(operation: string, what: string, have: readonly number[], want: readonly number[]): void {
  if (have.length === want.length && have.every((length, axis) => length === want[axis])) return;
  const problem = `${operation}: ${what} has shape ${shapeText(have)}`;
  throw new TensorError("shape-mismatch", problem, `it must be ${shapeText(want)}`);
}

export function shapeText(shape: readonly number[]): string {
  return `(${shape.join(", ")})`;
}
