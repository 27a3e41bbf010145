import {
  createMethod,
  type GradientMethod,
  type GradientTensor,
  layoutCount,
  type MethodOptions,
  type Preset,
  placeTensors,
} from "@lockstep/cloud-node/lab";

type CreateMethod = (layout: readonly GradientTensor[], options: MethodOptions) => GradientMethod;

/** Weight of what was in the running sums that a gain is taken from. */
const KEEP_SUMS = 0.95;

/** A method with something of it replaced; what it keeps is read where it is, since it may move. */
function changed(method: GradientMethod, change: Partial<GradientMethod>): GradientMethod {
  return {
    localSteps: method.localSteps,
    beta1: method.beta1,
    get unsentStays() {
      return method.unsentStays;
    },
    contribution: (step, numbers) => method.contribution(step, numbers),
    average: (step, contributions, out) => method.average(step, contributions, out),
    states: () => method.states(),
    ...change,
  };
}

/** A method on its own terms, with another momentum of AdamW than it asks for. */
export function withBeta1(preset: Preset, beta1: number): CreateMethod {
  return (layout, options) => changed(createMethod(preset, layout, options), { beta1 });
}

/**
 * Values are foretold, too: the running mean m of what all decoded, times a gain, is taken off before a method and put on
 * behind it. A tensor's gain is that of least squares over the past, ⟨average, m⟩ / ⟨m, m⟩ within 0 … 1, which all know:
 * where m foretells nothing it is 0, and the method is as it was.
 */
export function withPredictor(preset: Preset, keep: number): CreateMethod {
  return (layout, options) => {
    const method = createMethod(preset, layout, options);
    const predictor = new MomentumPredictor(layout, keep);
    return changed(method, {
      contribution: (step, numbers) => method.contribution(step, predictor.residual(numbers)),
      average: (step, contributions, out) => {
        method.average(step, contributions, out);
        predictor.complete(out);
      },
    });
  };
}

class MomentumPredictor {
  readonly #places: ReturnType<typeof placeTensors>;
  readonly #keep: number;
  readonly #mean: Float32Array;
  readonly #prediction: Float32Array;
  /** By tensor: ⟨average, m⟩ and ⟨m, m⟩, over the past. */
  readonly #products: Float64Array;
  readonly #squares: Float64Array;

  constructor(layout: readonly GradientTensor[], keep: number) {
    const count = layoutCount(layout);
    this.#places = placeTensors(layout);
    this.#keep = keep;
    this.#mean = new Float32Array(count);
    this.#prediction = new Float32Array(count);
    this.#products = new Float64Array(layout.length);
    this.#squares = new Float64Array(layout.length);
  }

  residual(numbers: Float32Array): Float32Array {
    return numbers.map((x, at) => x - (this.#prediction[at] ?? 0));
  }

  /** @param out  average of the residuals; becomes that of the numbers, which m and the gains learn */
  complete(out: Float32Array): void {
    const [mean, prediction] = [this.#mean, this.#prediction];
    for (const [tensor, { from, count }] of this.#places.entries()) {
      let [product, square] = [0, 0];
      for (let at = from; at < from + count; at += 1) {
        const m = mean[at] ?? 0;
        const x = (out[at] ?? 0) + (prediction[at] ?? 0);
        product += x * m;
        square += m * m;
        out[at] = x;
        mean[at] = this.#keep * m + (1 - this.#keep) * x;
      }
      const products = KEEP_SUMS * (this.#products[tensor] ?? 0) + (1 - KEEP_SUMS) * product;
      const squares = KEEP_SUMS * (this.#squares[tensor] ?? 0) + (1 - KEEP_SUMS) * square;
      this.#products[tensor] = products;
      this.#squares[tensor] = squares;
      const gain = squares > 0 ? Math.min(1, Math.max(0, products / squares)) : 0;
      for (let at = from; at < from + count; at += 1) prediction[at] = gain * (mean[at] ?? 0);
    }
  }
}

/**
 * Momentum in front of what is kept back, and none behind it.
 *
 * @see Lin et al. 2018, "Deep Gradient Compression", section 3.2
 */
export function withCorrection(preset: Preset, momentum: number): CreateMethod {
  return (layout, options) => {
    const method = createMethod(preset, layout, options);
    const velocity = new Float32Array(layoutCount(layout));
    return changed(method, {
      beta1: 0,
      contribution: (step, numbers) => {
        for (const [at, x] of numbers.entries()) velocity[at] = momentum * (velocity[at] ?? 0) + (1 - momentum) * x;
        return method.contribution(step, velocity);
      },
    });
  };
}

/** A worker's gradient is cut to the recipe's length over √workers before it joins what is kept back. @see the same, 3.3 */
export function withLocalClip(preset: Preset, clip: number): CreateMethod {
  return (layout, options) => {
    const method = createMethod(preset, layout, options);
    const most = clip / Math.sqrt(options.workers);
    return changed(method, {
      contribution: (step, numbers) => {
        const length = Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0));
        return method.contribution(step, length > most ? numbers.map((x) => (x * most) / length) : numbers);
      },
    });
  };
}
