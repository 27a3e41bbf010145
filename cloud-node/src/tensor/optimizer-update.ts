import type { Arena } from "./arena.ts";
import type { Kernels, UpdateKernels } from "./kernels.ts";
import { NORM_EPS, type Normalize, orthogonalize } from "./newton-schulz.ts";
import { type AdamWGroup, CLIP_EPS, type MuonGroup, type OptimizerStep } from "./optimizer.ts";
import { type PartList, partsOf } from "./part-calls.ts";
import type { Program, ProgramParameter } from "./program.ts";
import { type Address, sizeOf } from "./tensor.ts";
import { TensorError } from "./tensor-error.ts";

type Trained = ProgramParameter & { readonly gradient: Address };

/** What updates are made of: they never ask for a number of the arena, so that they can be recorded for a device. */
export interface UpdateArena extends Pick<Arena, "address"> {
  readonly kernels: Kernels & Omit<UpdateKernels, "sumOfSquares">;
  readonly normalize: Normalize;
}

/** Updates the parameters of one arena from their gradients; all state is in the arena. */
export class Optimizer {
  readonly #arena: UpdateArena;
  readonly #trained: ReadonlyMap<string, Trained>;

  constructor(program: Program, arena: UpdateArena) {
    this.#arena = arena;
    const isTrained = (parameter: ProgramParameter): parameter is Trained => parameter.gradient !== undefined;
    this.#trained = new Map(program.parameters.filter(isTrained).map((parameter) => [parameter.name, parameter]));
  }

  /** @throws {TensorError} `bad-value`, `unknown-name` for an update that the program cannot have */
  check({ step, groups }: OptimizerStep): void {
    if (!Number.isInteger(step) || step < 1) {
      throw new TensorError("bad-value", `step ${step} of an optimizer`, "count steps from 1 on");
    }
    for (const group of groups) for (const name of group.parameters) this.#parameter(name, group);
  }

  /** @param gradScale  what clipping makes of the gradients */
  apply({ step, groups }: OptimizerStep, gradScale: number): void {
    for (const group of groups) {
      for (const name of group.parameters) {
        const parameter = this.#parameter(name, group);
        if (group.kind === "adamw") this.#adamw(parameter, group, step, gradScale);
        else this.#muon(parameter, group, gradScale);
      }
    }
  }

  #parameter(name: string, { kind }: AdamWGroup | MuonGroup): Trained {
    const found = this.#trained.get(name);
    if (found === undefined) {
      throw new TensorError("unknown-name", `no trained parameter "${name}"`, "name parameters of the program");
    }
    if (kind === "muon" && found.matrix === undefined) {
      throw new TensorError("bad-value", `Muon for "${name}", no weight of a matrix product`, "use AdamW for it");
    }
    return found;
  }

  #adamw(parameter: Trained, group: AdamWGroup, step: number, gradScale: number): void {
    const { learningRate, beta1, beta2, eps, weightDecay } = group;
    const rate = learningRate / (1 - wholePower(beta1, step));
    const squareFactor = 1 / (1 - wholePower(beta2, step));
    const [value, grad, average, squareAverage] = this.#places(parameter);
    const count = sizeOf(parameter.tensor.shape);
    const decay = learningRate * weightDecay;
    this.#arena.kernels.adamw(
      value,
      grad,
      average,
      squareAverage,
      count,
      gradScale,
      beta1,
      beta2,
      rate,
      squareFactor,
      eps,
      decay,
    );
  }

  #muon(parameter: Trained, group: MuonGroup, gradScale: number): void {
    const { kernels } = this.#arena;
    const [value, grad, average] = this.#places(parameter);
    const { inner, columns, isTransposed } = matrixOf(parameter);
    const [rows, width] = isTransposed ? [columns, inner] : [inner, columns];
    const count = rows * width;
    const scratch = (offset: number) => this.#arena.address("scratch", offset);
    kernels.nesterov(scratch(0), grad, average, count, gradScale, group.momentum);
    orthogonalize(kernels, this.#arena.normalize, scratch, rows, width);
    // The update of a matrix that widens is scaled up, so that its entries do not shrink with its height.
    const scale = Math.sqrt(Math.max(1, columns / inner));
    kernels.scale(value, value, count, 1 - group.learningRate * group.weightDecay, 0);
    kernels.scale(value, scratch(0), count, -group.learningRate * scale, 1);
  }

  #places({ tensor, gradient }: Trained): [number, number, number, number] {
    const of = (section: "gradient" | "average" | "squareAverage") => this.#arena.address(section, gradient.offset);
    return [this.#arena.address("value", tensor.offset), of("gradient"), of("average"), of("squareAverage")];
  }
}

/** An arena of the host, to be updated: calls of AdamW go to `updates`, to be run as parts. */
export function updateArena(arena: Arena, updates: PartList): UpdateArena {
  const { kernels } = arena;
  const unit = arena.address("value", 1) - arena.address("value", 0);
  const adamw: UpdateKernels["adamw"] = (value, grad, average, squareAverage, count, ...rest) => {
    for (const { start, length } of partsOf(count)) {
      const places = [value, grad, average, squareAverage].map((place) => place + unit * start);
      updates.add("adamw", [...places, length, ...rest], length);
    }
  };
  const normalize = (x: number, count: number) =>
    kernels.scale(x, x, count, 1 / (Math.sqrt(kernels.sumOfSquares(x, count)) + NORM_EPS), 0);
  return { kernels: { ...kernels, adamw }, normalize, address: (section, offset) => arena.address(section, offset) };
}

/** What gradients of a norm are multiplied by. */
export function clipScale(norm: number, { clipNorm = Infinity }: OptimizerStep): number {
  return Math.min(1, clipNorm / (norm + CLIP_EPS));
}

/** Numbers of scratch that an update may need. */
export function updateScratch({ parameters }: Program): number {
  const needs = parameters.map(({ gradient, matrix }) => {
    if (gradient === undefined || matrix === undefined) return 0;
    const smaller = Math.min(matrix.inner, matrix.columns);
    return 2 * (matrix.inner * matrix.columns + smaller * smaller);
  });
  return Math.max(0, ...needs);
}

function matrixOf({ matrix, name }: Trained): NonNullable<ProgramParameter["matrix"]> {
  if (matrix !== undefined) return matrix;
  throw new TensorError("bad-value", `"${name}" is no weight of a matrix product`, "use AdamW for it");
}

/** By squaring, so that it is the same on every machine and after a resume. */
function wholePower(number: number, exponent: number): number {
  let [power, square, left] = [1, number, exponent];
  for (; left > 0; left = Math.floor(left / 2), square *= square) if (left % 2 === 1) power *= square;
  return power;
}
