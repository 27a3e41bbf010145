import type { Arena } from "./arena.ts";
import { orthogonalize } from "./newton-schulz.ts";
import type { AdamWGroup, MuonGroup, OptimizerStep } from "./optimizer.ts";
import type { Program, ProgramParameter } from "./program.ts";
import { type Address, sizeOf } from "./tensor.ts";
import { TensorError } from "./tensor-error.ts";

/** As PyTorch's clip_grad_norm_ adds to the norm. */
const CLIP_EPS = 1e-6;

type Trained = ProgramParameter & { readonly gradient: Address };

/** Updates the parameters of one arena from their gradients; all state is in the arena. */
export class Optimizer {
  readonly #program: Program;
  readonly #arena: Arena;
  readonly #trained: ReadonlyMap<string, Trained>;

  constructor(program: Program, arena: Arena) {
    this.#program = program;
    this.#arena = arena;
    const isTrained = (parameter: ProgramParameter): parameter is Trained => parameter.gradient !== undefined;
    this.#trained = new Map(program.parameters.filter(isTrained).map((parameter) => [parameter.name, parameter]));
  }

  /** @returns the norm of the gradients before clipping; where it is not finite nothing was changed */
  step({ step, clipNorm = Infinity, groups }: OptimizerStep): number {
    if (!Number.isInteger(step) || step < 1) {
      throw new TensorError("bad-value", `step ${step} of an optimizer`, "count steps from 1 on");
    }
    const members = groups.map((group) => group.parameters.map((name) => this.#parameter(name, group)));
    const { kernels } = this.#arena;
    const squares = kernels.sumOfSquares(this.#arena.address("gradient", 0), this.#program.sizes.gradient);
    const norm = Math.sqrt(squares);
    if (!Number.isFinite(norm)) return norm;
    const gradScale = Math.min(1, clipNorm / (norm + CLIP_EPS));
    for (const [index, group] of groups.entries()) {
      for (const parameter of members[index] ?? []) {
        if (group.kind === "adamw") this.#adamw(parameter, group, step, gradScale);
        else this.#muon(parameter, group, gradScale);
      }
    }
    return norm;
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
    orthogonalize(kernels, scratch, rows, width);
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
