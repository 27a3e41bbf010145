import type { PlacedCoder, PlacedUnits } from "./placed-coder.ts";

/** Weight of what was: AdamW's own in nanoGPT's recipes, so that units follow what the optimizer divides by. */
const KEEP_SQUARE = 0.99;
/** Of a tensor's mean square, added to every coordinate's: one that was never sent still has a unit. */
const FLOOR = 0.1;
/** Averages that units can be told from. */
const SETTLED_AFTER = 4;

/**
 * How large all workers expect each coordinate to be, from the averages that all of them decoded: the same bits everywhere,
 * so that it costs nothing on the wire. It lies in the memory of the coder's kernel.
 */
export class SizePredictor {
  /** Shape (2): averages seen; sum of their weights in `squareAverage`, which begins at 0. */
  readonly seen = new Float32Array(2);
  readonly #coder: PlacedCoder;
  /** Addresses of f32, (N) each. */
  readonly #squares: number;
  readonly #weights: number;

  constructor(coder: PlacedCoder) {
    this.#coder = coder;
    this.#squares = coder.core.zeros(coder.count);
    this.#weights = coder.core.zeros(coder.count);
  }

  /** Running mean of the square of the average gradient, shape (N): a view to be read and written at once. */
  get squareAverage(): Float32Array {
    return this.#coder.core.floats(this.#squares, this.#coder.count);
  }

  /** Whether units change slowly by now. */
  get isSettled(): boolean {
    return (this.seen[0] ?? 0) >= SETTLED_AFTER;
  }

  /** @param average  address of a step's average as it was decoded, f32, (N) */
  update(average: number): void {
    const { core, count } = this.#coder;
    core.calls.followSquares(this.#squares, average, count, KEEP_SQUARE);
    const [averages = 0, weight = 0] = this.seen;
    this.seen.set([Math.min(SETTLED_AFTER, averages + 1), KEEP_SQUARE * weight + (1 - KEEP_SQUARE)]);
  }

  /** How large each coordinate is likely to be: v^(1/4), v the mean square; 1 while there is none. */
  units(): PlacedUnits {
    const { core, tensors } = this.#coder;
    const share = 1 / (this.seen[1] || 1);
    for (const { from, count } of tensors) {
      core.calls.unitsOf(this.#squares + 4 * from, count, share, FLOOR, this.#weights + 4 * from);
    }
    return this.#coder.unitsAt(this.#weights);
  }
}
