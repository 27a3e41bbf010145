import { normalNumbers } from "@lockstep/cloud-node";
import { type GradientTensor, layoutCount, placeTensors } from "@lockstep/cloud-node/lab";

/** A matrix of the model with the places of its two factors. */
interface Factored {
  readonly from: number;
  readonly rows: number;
  readonly columns: number;
  /** Where its left factor (rows, rank) begins among all left ones, and its right one (columns, rank). */
  readonly leftAt: number;
  readonly rightAt: number;
}

/** Of a column that vanishes when the ones before it are taken out. */
const TINY = 1e-12;

/**
 * The peer that predictive methods are measured against: the gradient of a matrix as a product of two thin ones, by one
 * step of power iteration from the last right factor, with error feedback. Two rounds a step: all left factors are
 * averaged, then all right ones. What has one axis goes as it is, in the first round.
 *
 * @see Vogels, Karimireddy, Jaggi 2019, "PowerSGD", algorithms 1 and 2
 */
export class PowerSgd {
  readonly #matrices: readonly Factored[];
  readonly #vectors: readonly { readonly from: number; readonly to: number }[];
  readonly #rank: number;
  readonly #unsent: Float32Array;
  readonly #left: Float32Array;
  readonly #right: Float32Array;

  /** @param seed  of the first right factors: the same on all workers */
  constructor(layout: readonly GradientTensor[], rank: number, seed: number) {
    const matrices: Factored[] = [];
    const vectors: { from: number; to: number }[] = [];
    let [leftAt, rightAt] = [0, 0];
    for (const { from, count, rows, columns } of placeTensors(layout)) {
      if (rows === 1) {
        vectors.push({ from, to: from + count });
        continue;
      }
      matrices.push({ from, rows, columns, leftAt, rightAt });
      leftAt += rows * rank;
      rightAt += columns * rank;
    }
    const rest = vectors.reduce((sum, { from, to }) => sum + to - from, 0);
    this.#matrices = matrices;
    this.#vectors = vectors;
    this.#rank = rank;
    this.#unsent = new Float32Array(layoutCount(layout));
    this.#left = new Float32Array(leftAt + rest);
    this.#right = normalNumbers(rightAt, 1, seed, "power-sgd");
  }

  /** Bytes that a worker sends in a step. */
  get bytes(): number {
    return 4 * (this.#left.length + this.#right.length);
  }

  /** First round. @returns left factors, then what has one axis; the method's own, valid until the next call */
  left(gradient: Float32Array): Float32Array {
    const unsent = this.#unsent;
    const left = this.#left.fill(0);
    for (let at = 0; at < unsent.length; at += 1) unsent[at] = (unsent[at] as number) + (gradient[at] as number);
    for (const matrix of this.#matrices) multiply(unsent, matrix, this.#rank, this.#right, left);
    let at = left.length - this.#vectors.reduce((sum, { from, to }) => sum + to - from, 0);
    for (const { from, to } of this.#vectors) {
      left.set(unsent.subarray(from, to), at);
      unsent.fill(0, from, to);
      at += to - from;
    }
    return left;
  }

  /** Second round. @param left  average of all workers' @returns right factors; the method's own */
  right(left: Float32Array): Float32Array {
    this.#left.set(left);
    const right = this.#right.fill(0);
    for (const matrix of this.#matrices) {
      orthonormalize(this.#left, matrix.leftAt, matrix.rows, this.#rank);
      multiplyTurned(this.#unsent, matrix, this.#rank, this.#left, right);
    }
    return right;
  }

  /** @param right  average of all workers' @param out  overwritten: the average gradient as all see it, shape (N) */
  finish(right: Float32Array, out: Float32Array): void {
    this.#right.set(right);
    const [unsent, left, rank] = [this.#unsent, this.#left, this.#rank];
    for (const { from, rows, columns, leftAt, rightAt } of this.#matrices) {
      for (let row = 0; row < rows; row += 1) {
        for (let column = 0; column < columns; column += 1) {
          let x = 0;
          for (let k = 0; k < rank; k += 1) {
            x += (left[leftAt + row * rank + k] as number) * (this.#right[rightAt + column * rank + k] as number);
          }
          const at = from + row * columns + column;
          out[at] = x;
          unsent[at] = (unsent[at] as number) - x;
        }
      }
    }
    let at = left.length - this.#vectors.reduce((sum, { from, to }) => sum + to - from, 0);
    for (const { from, to } of this.#vectors) {
      out.set(left.subarray(at, at + to - from), from);
      at += to - from;
    }
  }
}

/** left += x · right, for a matrix x. */
function multiply(x: Float32Array, of: Factored, rank: number, right: Float32Array, left: Float32Array): void {
  let at = of.from;
  for (let row = 0; row < of.rows; row += 1) {
    const leftAt = of.leftAt + row * rank;
    for (let column = 0; column < of.columns; column += 1, at += 1) {
      const rightAt = of.rightAt + column * rank;
      const number = x[at] as number;
      for (let k = 0; k < rank; k += 1) {
        left[leftAt + k] = (left[leftAt + k] as number) + number * (right[rightAt + k] as number);
      }
    }
  }
}

/** right += xᵀ · left. */
function multiplyTurned(x: Float32Array, of: Factored, rank: number, left: Float32Array, right: Float32Array): void {
  let at = of.from;
  for (let row = 0; row < of.rows; row += 1) {
    const leftAt = of.leftAt + row * rank;
    for (let column = 0; column < of.columns; column += 1, at += 1) {
      const rightAt = of.rightAt + column * rank;
      const number = x[at] as number;
      for (let k = 0; k < rank; k += 1) {
        right[rightAt + k] = (right[rightAt + k] as number) + number * (left[leftAt + k] as number);
      }
    }
  }
}

/** Make the columns of (rows, rank) orthonormal, one after the other. */
function orthonormalize(x: Float32Array, at: number, rows: number, rank: number): void {
  for (let k = 0; k < rank; k += 1) {
    for (let before = 0; before < k; before += 1) {
      let dot = 0;
      for (let row = 0; row < rows; row += 1) dot += (x[at + row * rank + k] ?? 0) * (x[at + row * rank + before] ?? 0);
      for (let row = 0; row < rows; row += 1) {
        const place = at + row * rank + k;
        x[place] = (x[place] ?? 0) - dot * (x[at + row * rank + before] ?? 0);
      }
    }
    let squares = 0;
    for (let row = 0; row < rows; row += 1) squares += (x[at + row * rank + k] ?? 0) ** 2;
    const scale = 1 / (Math.sqrt(squares) + TINY);
    for (let row = 0; row < rows; row += 1) x[at + row * rank + k] = (x[at + row * rank + k] ?? 0) * scale;
  }
}
