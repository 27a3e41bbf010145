import { type GradientTensor, layoutCount, type PlacedTensor, placeTensors } from "./gradient-layout.ts";

/** Weight of what was: AdamW's own in nanoGPT's recipes, so that units follow what the optimizer divides by. */
const KEEP_SQUARE = 0.99;
/** Of a tensor's mean square, added to every coordinate's: one that was never sent still has a unit. */
const FLOOR = 0.1;
/** Averages that units can be told from. */
const SETTLED_AFTER = 4;

/**
 * How large all workers expect each coordinate to be, from the averages that all of them decoded: the same bits everywhere,
 * so that it costs nothing on the wire. Only sums, products and square roots, which are rounded alike on every machine.
 */
export class SizePredictor {
  /** Running mean of the square of the average gradient, shape (N). */
  readonly squareAverage: Float32Array;
  /** Shape (2): averages seen; sum of their weights in `squareAverage`, which begins at 0. */
  readonly seen = new Float32Array(2);
  readonly #tensors: readonly PlacedTensor[];

  constructor(layout: readonly GradientTensor[]) {
    this.squareAverage = new Float32Array(layoutCount(layout));
    this.#tensors = placeTensors(layout);
  }

  /** Whether units change slowly by now. */
  get isSettled(): boolean {
    return (this.seen[0] ?? 0) >= SETTLED_AFTER;
  }

  /** @param gradient  average of a step as it was decoded, shape (N) */
  update(gradient: Float32Array): void {
    const { squareAverage, seen } = this;
    for (let at = 0; at < gradient.length; at += 1) {
      const x = gradient[at] ?? 0;
      squareAverage[at] = KEEP_SQUARE * (squareAverage[at] ?? 0) + (1 - KEEP_SQUARE) * x * x;
    }
    seen.set([Math.min(SETTLED_AFTER, (seen[0] ?? 0) + 1), KEEP_SQUARE * (seen[1] ?? 0) + (1 - KEEP_SQUARE)]);
  }

  /**
   * How large a coordinate is likely to be.
   *
   * @param weights  overwritten, shape (N): v^(1/4), v the mean square; 1 while there is none
   */
  scale(weights: Float32Array): void {
    const { squareAverage, seen } = this;
    const share = 1 / (seen[1] || 1);
    for (const { from, count } of this.#tensors) {
      let mean = 0;
      for (let at = from; at < from + count; at += 1) mean += squareAverage[at] ?? 0;
      mean /= count;
      if (mean === 0) weights.fill(1, from, from + count);
      else {
        for (let at = from; at < from + count; at += 1) {
          weights[at] = Math.sqrt(Math.sqrt(share * ((squareAverage[at] ?? 0) + FLOOR * mean)));
        }
      }
    }
  }
}
