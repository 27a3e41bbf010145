import { ByteBudget } from "./byte-budget.ts";
import type { CoderMode } from "./coder-mode.ts";
import { ErrorFeedback } from "./error-feedback.ts";
import { GradientCore } from "./gradient-core.ts";
import { ofWorker } from "./gradient-error.ts";
import type { GradientTensor } from "./gradient-layout.ts";
import type { GradientMethod, MethodOptions, MethodState } from "./method.ts";
import { type OuterOptions, OuterStep } from "./outer-step.ts";
import { PlacedCoder, type PlacedUnits } from "./placed-coder.ts";
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

/** Bits that a coordinate beyond the threshold costs, about, all included: for the first thresholds alone. */
const FIRST_BITS = 6;
/** More of them at once than that are never wanted. */
const MOST_SHARE = 0.6;

/**
 * Sends what is large for what all workers expect of a coordinate, in few levels, and keeps the rest for later.
 *
 * The units come from the averages of earlier rounds, which every worker has: they cost nothing on the wire. All that has
 * as many numbers as the model lies in the kernel's memory, and is worked on there.
 */
export class PredictiveMethod implements GradientMethod {
  readonly localSteps: number;
  readonly beta1: number | undefined;
  readonly #options: PredictiveOptions;
  readonly #rank: number;
  readonly #predictor: SizePredictor;
  readonly #feedback: ErrorFeedback;
  readonly #budget: ByteBudget;
  readonly #outer: OuterStep;
  readonly #coder: PlacedCoder;
  /** Address of f32, (N). */
  readonly #average: number;
  readonly #included: Uint8Array;
  readonly #thresholds: Float32Array;
  readonly #share: number;
  /** Of the step that this worker contributed to last. */
  #units: { readonly step: number; readonly units: PlacedUnits } | undefined;

  constructor(layout: readonly GradientTensor[], options: PredictiveOptions, { rank, seed }: MethodOptions) {
    const core = new GradientCore();
    const coder = new PlacedCoder(core, layout, { kind: "threshold", levels: options.levels }, seed + rank);
    const { count } = coder;
    const bytes = (4 * count * options.localSteps) / options.ratio;
    this.#options = options;
    this.localSteps = options.localSteps;
    this.beta1 = options.beta1;
    this.#rank = rank;
    this.#coder = coder;
    this.#predictor = new SizePredictor(coder);
    this.#average = core.zeros(count);
    this.#feedback = new ErrorFeedback(coder, this.#average);
    this.#budget = new ByteBudget(bytes);
    this.#outer = new OuterStep(count, options.outer ?? { rate: 1, momentum: 0 });
    this.#included = new Uint8Array(layout.length).fill(1);
    this.#thresholds = new Float32Array(layout.length);
    this.#share = Math.min(MOST_SHARE, (8 * bytes) / count / FIRST_BITS);
  }

  get unsentStays(): Float32Array | undefined {
    return this.localSteps > 1 ? this.#feedback.unsent : undefined;
  }

  contribution(step: number, numbers: Float32Array): Uint8Array {
    const [coder, feedback, budget] = [this.#coder, this.#feedback, this.#budget];
    if (this.localSteps > 1) feedback.replace(numbers);
    else feedback.collect(numbers);
    const units = this.#predictor.units();
    this.#units = { step, units };
    coder.mode = this.#mode();
    const choice = { steps: this.#thresholds.fill(budget.threshold), included: this.#choose(step) };
    const message = coder.encode(feedback.at, units, choice, step);
    feedback.release(step, units);
    if (this.#predictor.isSettled && budget.threshold === 0) budget.begin(Math.max(...coder.sentSteps));
    budget.spent(message.length);
    return message;
  }

  average(step: number, contributions: readonly (Uint8Array | undefined)[], out: Float32Array): void {
    const { core, count } = this.#coder;
    const units = this.#units?.step === step ? this.#units.units : this.#predictor.units();
    const given = contributions.filter((message) => message !== undefined).length;
    core.floats(this.#average, count).fill(0);
    for (const [rank, message] of contributions.entries()) {
      if (message === undefined) continue;
      // What this worker sent it need not read: the coder still has it.
      if (rank === this.#rank && this.#feedback.hasSent(step)) this.#coder.addSent(units, 1 / given, this.#average);
      else ofWorker(rank, () => this.#coder.decode(message, units, step, this.#average, 1 / given));
    }
    if (contributions[this.#rank] === undefined) this.#feedback.takeBack(step);
    this.#predictor.update(this.#average);
    out.set(core.floats(this.#average, count));
    this.#outer.apply(out);
  }

  states(): readonly MethodState[] {
    const [predictor, feedback] = [this.#predictor, this.#feedback];
    return [
      live("squareAverage", false, () => predictor.squareAverage),
      { name: "seen", values: predictor.seen, isOwn: false },
      { name: "velocity", values: this.#outer.velocity, isOwn: false },
      live("unsent", true, () => feedback.unsent),
      { name: "budget", values: this.#budget.state, isOwn: true },
    ];
  }

  /**
   * One threshold for all, once there are units. In the first rounds, before, one for each tensor: where nothing was
   * ever sent of a tensor, nobody knows how large its gradient is, and it would wait for ever behind larger ones.
   */
  #mode(): CoderMode {
    const { levels } = this.#options;
    if (!this.#predictor.isSettled) return { kind: "top-k", share: this.#share, levels, of: "tensor" };
    if (this.#budget.threshold === 0) return { kind: "top-k", share: this.#share, levels, of: "message" };
    return { kind: "threshold", levels };
  }

  /** Tensors of this round: all of them until they have units, since a passenger without one would wait for ever. */
  #choose(step: number): Uint8Array {
    const { mask, localSteps } = this.#options;
    if (this.#predictor.isSettled) mask?.included(Math.floor(step / localSteps), this.#included);
    else this.#included.fill(1);
    return this.#included;
  }
}

/** Of numbers in a kernel's memory, which may move: a view is made whenever one is asked for. */
function live(name: string, isOwn: boolean, view: () => Float32Array): MethodState {
  return {
    name,
    isOwn,
    get values() {
      return view();
    },
  };
}
