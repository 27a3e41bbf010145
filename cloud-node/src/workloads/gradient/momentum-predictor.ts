import { type GradientTensor, layoutCount, type PlacedTensor, placeTensors } from "./gradient-layout.ts";

/** Weights of what was: AdamW's own in nanoGPT's recipes, so that units follow what the optimizer divides by. */
const KEEP_AVERAGE = 0.9;
const KEEP_SQUARE = 0.99;
/** Of a tensor's mean square, added to every coordinate's: one that was never sent still has a unit. */
const FLOOR = 0.1;
/** Contexts of a coder: 8 sizes beside the tensor's mean, in powers of two. */
const SIZES = 8;
const MEAN_SIZE = 4;

/**
 * What all workers know of the gradient to come, from the averages that all of them decoded: the same bits everywhere,
 * so that it costs nothing on the wire. Only sums, products and square roots, which are rounded alike on every machine.
 */
export class MomentumPredictor {
  /** Running mean of the average gradient, shape (N). */
  readonly average: Float32Array;
  /** Running mean of its square, shape (N). */
  readonly squareAverage: Float32Array;
  readonly #tensors: readonly PlacedTensor[];

  constructor(layout: readonly GradientTensor[]) {
    const count = layoutCount(layout);
    this.average = new Float32Array(count);
    this.squareAverage = new Float32Array(count);
    this.#tensors = placeTensors(layout);
  }

  /** @param gradient  average of a step as it was decoded, shape (N) */
  update(gradient: Float32Array): void {
    const { average, squareAverage } = this;
    for (let at = 0; at < gradient.length; at += 1) {
      const x = gradient[at] ?? 0;
      average[at] = KEEP_AVERAGE * (average[at] ?? 0) + (1 - KEEP_AVERAGE) * x;
      squareAverage[at] = KEEP_SQUARE * (squareAverage[at] ?? 0) + (1 - KEEP_SQUARE) * x * x;
    }
  }

  /**
   * How large a coordinate is likely to be, as unit and as context.
   *
   * @param weights  overwritten, shape (N): v^(1/4), v the running mean square; 1 while there is none
   * @param contexts  overwritten, shape (N), 0 … 7: v beside its tensor's mean
   */
  scale(weights: Float32Array, contexts: Uint8Array): void {
    const { squareAverage } = this;
    for (const { from, count } of this.#tensors) {
      const to = from + count;
      let mean = 0;
      for (let at = from; at < to; at += 1) mean += squareAverage[at] ?? 0;
      mean /= count;
      const bounds = sizeBounds(mean * (1 + FLOOR));
      for (let at = from; at < to; at += 1) {
        const square = (squareAverage[at] ?? 0) + FLOOR * mean;
        weights[at] = mean === 0 ? 1 : Math.sqrt(Math.sqrt(square));
        let size = 0;
        while (size < SIZES - 1 && square >= (bounds[size] ?? 0)) size += 1;
        contexts[at] = size;
      }
    }
  }
}

/** The squares at which a size ends and the next begins: √2 around powers of two of `mean`. */
function sizeBounds(mean: number): Float64Array {
  return Float64Array.from({ length: SIZES - 1 }, (_, size) => mean * Math.SQRT1_2 * 2 ** (size + 1 - MEAN_SIZE));
}
