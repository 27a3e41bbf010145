import { ByteBudget, thresholdOf } from "./byte-budget.ts";
import type { CoderControl } from "./coder-mode.ts";
import { ErrorFeedback } from "./error-feedback.ts";
import { GradientCoder } from "./gradient-coder.ts";
import { type GradientTensor, layoutCount, type PlacedTensor, placeTensors } from "./gradient-layout.ts";
import type { GradientMethod, MethodOptions, MethodState } from "./method.ts";
import { type OuterOptions, OuterStep } from "./outer-step.ts";
import { SizePredictor } from "./size-predictor.ts";
import type { TopologyMask } from "./topology-mask.ts";

/** What a predictive method is to reach. */
export interface PredictiveOptions {
  /** Bytes of float32 over bytes sent, per step. */
  readonly ratio: number;
  /** Steps from one round to the next; 1: every gradient is exchanged. */
  readonly localSteps: number;
  /** Sizes beside zero that a code can have. */
  readonly levels: number;
  /** AdamW's momentum beside it; the recipe's when not given. */
  readonly beta1?: number | undefined;
  /** With local steps; the average as it is when not given. */
  readonly outer?: OuterOptions | undefined;
  readonly mask?: TopologyMask | undefined;
}

/** Bits that a coordinate beyond the threshold costs, about, all included: for the first threshold alone. */
const FIRST_BITS = 6;
/** More of them at once than that are never wanted. */
const MOST_SHARE = 0.6;

/**
 * Sends what is large for what all workers expect of a coordinate, in few levels, and keeps the rest for later.
 *
 * The units come from the averages of earlier rounds, which every worker has: they cost nothing on the wire.
 */
export class PredictiveMethod implements GradientMethod {
  readonly localSteps: number;
  readonly beta1: number | undefined;
  readonly unsentStays: Float32Array | undefined;
  readonly #options: PredictiveOptions;
  readonly #workers: number;
  readonly #rank: number;
  readonly #predictor: SizePredictor;
  readonly #feedback: ErrorFeedback;
  readonly #budget: ByteBudget;
  readonly #outer: OuterStep;
  readonly #coder: GradientCoder;
  readonly #weights: Float32Array;
  readonly #included: Uint8Array;
  readonly #thresholds: Float32Array;
  readonly #share: number;
  readonly #tensors: readonly PlacedTensor[];

  constructor(layout: readonly GradientTensor[], options: PredictiveOptions, { workers, rank, seed }: MethodOptions) {
    const count = layoutCount(layout);
    const bytes = (4 * count * options.localSteps) / options.ratio;
    this.#options = options;
    this.localSteps = options.localSteps;
    this.beta1 = options.beta1;
    this.#workers = workers;
    this.#rank = rank;
    this.#predictor = new SizePredictor(layout);
    this.#feedback = new ErrorFeedback(count);
    this.unsentStays = this.localSteps > 1 ? this.#feedback.unsent : undefined;
    this.#budget = new ByteBudget(bytes);
    this.#outer = new OuterStep(count, options.outer ?? { rate: 1, momentum: 0 });
    this.#coder = new GradientCoder(layout, { kind: "threshold", levels: options.levels }, seed + rank);
    this.#weights = new Float32Array(count);
    this.#included = new Uint8Array(layout.length).fill(1);
    this.#thresholds = new Float32Array(layout.length);
    this.#tensors = placeTensors(layout);
    this.#share = Math.min(MOST_SHARE, (8 * bytes) / count / FIRST_BITS);
  }

  contribution(step: number, gradient: Float32Array): Uint8Array {
    const unsent = this.unsentStays === undefined ? this.#feedback.collect(gradient) : this.#feedback.replace(gradient);
    const control = this.#control(step);
    this.#chooseThresholds(unsent);
    const message = this.#coder.encode(unsent, { ...control, steps: this.#thresholds }, step, this.#feedback.sent);
    this.#feedback.release(step);
    this.#budget.spent(message.length);
    return message;
  }

  average(step: number, contributions: readonly (Uint8Array | undefined)[], out: Float32Array): void {
    const control = this.#control(step);
    out.fill(0);
    for (const message of contributions) {
      if (message !== undefined) this.#coder.decode(message, control, step, out, 1 / this.#workers);
    }
    if (contributions[this.#rank] === undefined) this.#feedback.takeBack(step);
    this.#predictor.update(out);
    this.#outer.apply(out);
  }

  states(): readonly MethodState[] {
    return [
      { name: "squareAverage", values: this.#predictor.squareAverage, isOwn: false },
      { name: "seen", values: this.#predictor.seen, isOwn: false },
      { name: "velocity", values: this.#outer.velocity, isOwn: false },
      { name: "unsent", values: this.#feedback.unsent, isOwn: true },
      { name: "budget", values: this.#budget.state, isOwn: true },
    ];
  }

  /**
   * One threshold for all, once there are units. In the first rounds, before, one for each tensor: where nothing was
   * ever sent of a tensor, nobody knows how large its gradient is, and it would wait for ever behind larger ones.
   */
  #chooseThresholds(unsent: Float32Array): void {
    const budget = this.#budget;
    if (this.#predictor.isSettled) {
      if (budget.threshold === 0) budget.begin(thresholdOf(unsent, this.#weights, this.#share));
      this.#thresholds.fill(budget.threshold);
      return;
    }
    for (const [tensor, { from, count }] of this.#tensors.entries()) {
      const [values, weights] = [unsent.subarray(from, from + count), this.#weights.subarray(from, from + count)];
      this.#thresholds[tensor] = thresholdOf(values, weights, this.#share);
    }
  }

  /** Tensors of this round: all of them until they have units, since a passenger without one would wait for ever. */
  #choose(step: number): void {
    const { mask, localSteps } = this.#options;
    if (this.#predictor.isSettled) mask?.included(Math.floor(step / localSteps), this.#included);
    else this.#included.fill(1);
  }

  #control(step: number): CoderControl {
    this.#predictor.scale(this.#weights);
    this.#choose(step);
    return { weights: this.#weights, included: this.#included };
  }
}
