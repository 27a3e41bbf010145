import { DistillationError } from "./distillation-error.ts";
import type { SpikeOptions } from "./options.ts";

/** Of the moving mean that a loss is held against, the weight of a new one. */
const NEW_SHARE = 0.1;
/** Steps at the beginning of a run, when losses fall too fast to be judged. */
const WARM_UP = 10;

/** A loss that was too high, and what was done. */
export interface Rollback {
  /** Where it was seen. */
  readonly step: number;
  /** Null where it was no finite number. */
  readonly loss: number | null;
  /** Mean of losses in front of it. */
  readonly expected: number;
  /** Step of the state that was taken back. */
  readonly to: number;
  /** From then on. */
  readonly anchorWeight: number;
}

/**
 * Watches a loss, and keeps the last state that was good. A loss tells of the state in front of its step: so a state is kept
 * when its own loss was as expected, and not before.
 */
export class SpikeGuard<State> {
  readonly rollbacks: Rollback[] = [];
  readonly #options: SpikeOptions;
  #anchorWeight: number;
  #mean: number | undefined;
  #steps = 0;
  #good: { readonly step: number; readonly state: State; readonly mean: number | undefined } | undefined;

  constructor(options: SpikeOptions, anchorWeight: number) {
    this.#options = options;
    this.#anchorWeight = anchorWeight;
  }

  /** α of the loss: it rises with every spike. */
  get anchorWeight(): number {
    return this.#anchorWeight;
  }

  /** Whether a copy of the state in front of this step is wanted. */
  wants(step: number): boolean {
    return step % this.#options.keepEvery === 0;
  }

  /**
   * Judge a step by its loss.
   *
   * @param before  the state in front of it, where it was wanted
   * @returns undefined where all is well; else the state to go on from
   * @throws {DistillationError} `loss-not-finite` after too many spikes, or where no good state is known
   */
  judge(
    step: number,
    loss: number,
    before: State | undefined,
  ): { readonly step: number; readonly state: State } | undefined {
    const mean = this.#mean;
    const { factor, margin } = this.#options;
    const isJudged = mean !== undefined && this.#steps >= WARM_UP;
    const isSpike = !Number.isFinite(loss) || (isJudged && loss > factor * mean && loss > mean + margin);
    if (isSpike) return this.#rollBack(step, loss);
    if (before !== undefined) this.#good = { step, state: before, mean };
    this.#mean = mean === undefined ? loss : mean + NEW_SHARE * (loss - mean);
    this.#steps += 1;
    return undefined;
  }

  #rollBack(step: number, loss: number): { readonly step: number; readonly state: State } {
    const { raise, most } = this.#options;
    const expected = this.#mean ?? 0;
    const good = this.#good;
    if (good === undefined || this.rollbacks.length >= most) {
      const problem = `step ${step}: a loss of ${loss} where ${expected} was expected, after ${this.rollbacks.length} spikes`;
      throw new DistillationError("loss-not-finite", problem, "lower the learning rate");
    }
    this.#anchorWeight *= raise;
    this.#mean = good.mean ?? this.#mean;
    const facts = { step, loss: Number.isFinite(loss) ? loss : null, expected };
    this.rollbacks.push({ ...facts, to: good.step, anchorWeight: this.#anchorWeight });
    return good;
  }
}
