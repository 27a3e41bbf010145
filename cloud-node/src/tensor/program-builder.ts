import { gelu, relu2, softcap, swiglu } from "./operations/activation.ts";
import { type AttentionShape, cachedAttention, causalAttention, type RopeShape, rope } from "./operations/attention.ts";
import { crossEntropy } from "./operations/cross-entropy.ts";
import { type DropoutOptions, dropout } from "./operations/dropout.ts";
import { add, multiply, scale } from "./operations/elementwise.ts";
import { embedding, type MatmulOptions, matmul } from "./operations/matmul.ts";
import { layerNorm, rmsNorm } from "./operations/norm.ts";
import type { Program } from "./program.ts";
import { checkContiguous, Recorder, shapeText } from "./recorder.ts";
import { sizeOf, type Tensor, widthOf } from "./tensor.ts";
import { TensorError } from "./tensor-error.ts";

/** What PyTorch's norms add before the root. */
const NORM_EPS = 1e-5;

/**
 * Records a program: every call adds one operation, and `build` derives the backward half. Tensors are rows of the
 * last axis: the axes before it are taken together.
 *
 * Every operation throws {TensorError} `shape-mismatch`, `not-contiguous`, `name-taken`, `bad-value` or `too-large`
 * while recording; a program that was built runs without such errors.
 */
export class ProgramBuilder {
  readonly #recorder = new Recorder();

  /** A parameter, zero until it is set; trained unless said. */
  parameter(name: string, shape: readonly number[], { isTrained = true } = {}): Tensor {
    return this.#recorder.parameter(name, shape, isTrained);
  }

  /** What the caller fills before a run. */
  input(name: string, shape: readonly number[], type: "i32" | "f32"): Tensor {
    return this.#recorder.input(name, shape, type);
  }

  /** The same numbers under another shape. */
  reshape(x: Tensor, shape: readonly number[]): Tensor {
    checkContiguous("reshape", x);
    if (sizeOf(shape) !== sizeOf(x.shape)) {
      const problem = `reshape of ${shapeText(x.shape)} to ${shapeText(shape)}`;
      throw new TensorError("shape-mismatch", problem, "both must hold the same count");
    }
    const view = x.view ?? { of: x, column: 0 };
    return { section: x.section, offset: x.offset, shape, stride: shape.at(-1) ?? 1, view };
  }

  /** x cut into parts of its columns, side by side: attention and rope take them as they are. `widths` add up to x's. */
  split(x: Tensor, widths: readonly number[]): Tensor[] {
    if (x.view !== undefined) throw new TensorError("not-contiguous", "split of a view", "split the tensor itself");
    if (widths.reduce((sum, width) => sum + width, 0) !== widthOf(x)) {
      const problem = `split of ${shapeText(x.shape)} into widths ${widths.join(", ")}`;
      throw new TensorError("shape-mismatch", problem, "the widths must add up to the last axis");
    }
    let column = 0;
    const parts = widths.map((width): Tensor => {
      const view = { of: x, column };
      column += width;
      const { section, stride } = x;
      return { section, offset: x.offset + view.column, shape: [...x.shape.slice(0, -1), width], stride, view };
    });
    this.#recorder.addViews(x, parts);
    return parts;
  }

  /** Rows of `table` (vocabulary, width) by `ids`, whole numbers below its length. @returns (count of ids, width) */
  embedding(table: Tensor, ids: Tensor): Tensor {
    return embedding(this.#recorder, table, ids);
  }

  /** x (…, inner) · w (inner, columns) or its transpose, plus a bias and a residual. */
  matmul(x: Tensor, w: Tensor, options: MatmulOptions = {}): Tensor {
    return matmul(this.#recorder, x, w, options);
  }

  /** a + b; b may be shorter, and is repeated. */
  add(a: Tensor, b: Tensor): Tensor {
    return add(this.#recorder, a, b);
  }

  /** a · b, number by number. */
  mul(a: Tensor, b: Tensor): Tensor {
    return multiply(this.#recorder, a, b);
  }

  /** factor · x. */
  scale(x: Tensor, factor: number): Tensor {
    return scale(this.#recorder, x, factor);
  }

  /** x with a share `rate` of its numbers left out, and the others grown by as much, plus a residual: in training alone. */
  dropout(x: Tensor, options: DropoutOptions): Tensor {
    return dropout(this.#recorder, x, options);
  }

  layerNorm(x: Tensor, gain?: Tensor, bias?: Tensor, eps = NORM_EPS): Tensor {
    return layerNorm(this.#recorder, x, { gain, bias, eps });
  }

  rmsNorm(x: Tensor, gain?: Tensor, eps = NORM_EPS): Tensor {
    return rmsNorm(this.#recorder, x, { gain, eps });
  }

  /** By the error function, as PyTorch's default; `tanh` for the approximation that GPT-2 was trained with. */
  gelu(x: Tensor, approximation: "none" | "tanh" = "none"): Tensor {
    return gelu(this.#recorder, x, approximation === "tanh");
  }

  /** max(x, 0)². */
  relu2(x: Tensor): Tensor {
    return relu2(this.#recorder, x);
  }

  /** gate · σ(gate) · up. */
  swiglu(gate: Tensor, up: Tensor): Tensor {
    return swiglu(this.#recorder, gate, up);
  }

  /** Rotary positions for q or k, which may be a part of a split. */
  rope(x: Tensor, shape: RopeShape): Tensor {
    return rope(this.#recorder, x, shape);
  }

  /** q (B·T, heads·headDim), k and v (B·T, kvHeads·headDim), which may be parts of a split. @returns in the shape of q */
  causalAttention(q: Tensor, k: Tensor, v: Tensor, shape: AttentionShape): Tensor {
    return causalAttention(this.#recorder, q, k, v, shape);
  }

  /**
   * Attention for sampling: q, k, v of one new row in each of B sequences, over `capacity` rows that the program keeps
   * from run to run. `position` (1), i32 and below `capacity`, says which row is new. For programs without gradients.
   */
  cachedAttention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    position: Tensor,
    shape: Omit<AttentionShape, "T" | "dropout"> & { readonly capacity: number },
  ): Tensor {
    return cachedAttention(this.#recorder, [q, k, v], position, shape);
  }

  /** cap · tanh(x / cap). */
  softcap(x: Tensor, cap: number): Tensor {
    return softcap(this.#recorder, x, cap);
  }

  /** Mean loss in nats over the rows whose target is not -1; i32 targets (rows). @returns a scalar */
  crossEntropy(logits: Tensor, targets: Tensor): Tensor {
    return crossEntropy(this.#recorder, logits, targets);
  }

  /**
   * The program that computes `output`; with gradients, `output` is a scalar, and everything that it depends on has
   * its gradient derived.
   *
   * @throws {TensorError} `shape-mismatch` for an output that is no scalar, `no-gradient` when nothing is trained
   */
  build(output: Tensor, { withGradients = true } = {}): Program {
    return this.#recorder.build(output, withGradients);
  }
}
