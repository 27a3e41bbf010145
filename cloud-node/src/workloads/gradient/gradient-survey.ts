import { type GradientTensor, layoutCount, placeTensors } from "./gradient-layout.ts";

/** How much the gradients of a tensor differ from step to step. */
export interface TensorVariance extends GradientTensor {
  /** Mean over its coordinates of their variance over the steps. */
  readonly variance: number;
}

/**
 * Looks at a worker's own gradients over some steps of calibration. They have to be the local ones: what was already
 * masked arrives as zeros, would look calm for that reason alone, and stay masked for ever.
 */
export class GradientSurvey {
  readonly #layout: readonly GradientTensor[];
  readonly #mean: Float64Array;
  readonly #deviations: Float64Array;
  #steps = 0;

  constructor(layout: readonly GradientTensor[]) {
    this.#layout = layout;
    this.#mean = new Float64Array(layoutCount(layout));
    this.#deviations = new Float64Array(this.#mean.length);
  }

  get steps(): number {
    return this.#steps;
  }

  /** @see Welford 1962, "Note on a method for calculating corrected sums of squares and products" */
  add(gradient: Float32Array): void {
    this.#steps += 1;
    const mean = this.#mean;
    const deviations = this.#deviations;
    const share = 1 / this.#steps;
    for (let at = 0; at < mean.length; at += 1) {
      const x = gradient[at] ?? 0;
      const before = x - (mean[at] ?? 0);
      const now = (mean[at] ?? 0) + before * share;
      mean[at] = now;
      deviations[at] = (deviations[at] ?? 0) + before * (x - now);
    }
  }

  /** In the order of the layout; zeros before the second step. */
  variances(): TensorVariance[] {
    const divisor = Math.max(1, this.#steps - 1);
    const places = placeTensors(this.#layout);
    return this.#layout.map(({ name, shape }, tensor) => {
      const { from, count } = places[tensor] ?? { from: 0, count: 0 };
      let sum = 0;
      for (let at = from; at < from + count; at += 1) sum += this.#deviations[at] ?? 0;
      return { name, shape, variance: count === 0 ? 0 : sum / divisor / count };
    });
  }
}
