import { type GradientTensor, placeTensors } from "./gradient-layout.ts";
import type { TensorVariance } from "./gradient-survey.ts";

/** `driver`: sent in every round. `passenger`: calm enough to be sent in turns. `guarded`: never masked, however calm. */
export const TENSOR_ROLES = ["driver", "passenger", "guarded"] as const;
export type TensorRole = (typeof TENSOR_ROLES)[number];

/** How a mask is chosen and goes round. */
export interface MaskOptions {
  /** Maskable tensors whose variance is below become passengers; ∞: all of them, 0: none. */
  readonly threshold: number;
  /** A passenger is sent in one of so many rounds, ≥ 1. */
  readonly staleness: number;
}

/** Rounds in which a passenger is sent once: without turns it would not be learned at all. */
export const DEFAULT_STALENESS = 4;
/** A slip of the pen is caught here. */
export const MOST_STALENESS = 1000;

/** A tensor with the part that it was given. */
export interface MaskedTensor extends TensorVariance {
  readonly role: TensorRole;
}

/**
 * Which tensors are sent in which round. Matrices of little variance go in turns; error feedback keeps what they find
 * meanwhile. Embeddings, heads and gains are guarded: masking them broke training.
 */
export class TopologyMask {
  readonly tensors: readonly MaskedTensor[];
  readonly options: MaskOptions;
  /** Turn of each tensor; −1 where it is sent in every round. */
  readonly #turns: Int32Array;

  constructor(variances: readonly TensorVariance[], options: MaskOptions) {
    this.options = options;
    this.tensors = variances.map((tensor) => ({ ...tensor, role: roleOf(tensor, options.threshold) }));
    let next = 0;
    this.#turns = Int32Array.from(this.tensors, ({ role }) => (role === "passenger" ? next++ : -1));
  }

  /** The mask whose passengers are a share of the maskable tensors, the calmest ones. */
  static ofShare(variances: readonly TensorVariance[], share: number, staleness = DEFAULT_STALENESS): TopologyMask {
    const calm = variances.filter((tensor) => isMaskable(tensor)).map(({ variance }) => variance);
    calm.sort((a, b) => a - b);
    const threshold = calm[Math.round(share * calm.length)] ?? Number.POSITIVE_INFINITY;
    return new TopologyMask(variances, { threshold: share <= 0 ? 0 : threshold, staleness });
  }

  /**
   * @param round  counted from one exchange to the next: with local steps not every step has one
   * @param out  overwritten, one for each tensor: 1 where it is sent in this round
   */
  included(round: number, out: Uint8Array): void {
    const { staleness } = this.options;
    for (const [tensor, turn] of this.#turns.entries()) {
      out[tensor] = turn < 0 || (round + turn) % staleness === 0 ? 1 : 0;
    }
  }

  /** Numbers of the layout over those that are sent in a round on average; 1 for a layout without any. */
  get compressionFactor(): number {
    let [all, sent] = [0, 0];
    for (const [tensor, { count }] of placeTensors(this.tensors).entries()) {
      all += count;
      sent += count / ((this.#turns[tensor] ?? -1) < 0 ? 1 : this.options.staleness);
    }
    return sent === 0 ? 1 : all / sent;
  }
}

/** Matrices between two layers: not gains, which have one axis, and not tables of tokens or positions, nor the head. */
function isMaskable({ name, shape }: GradientTensor): boolean {
  return shape.length === 2 && !/(^|\.)(wte|wpe|lm_head|bigram)\./.test(name);
}

function roleOf(tensor: TensorVariance, threshold: number): TensorRole {
  if (!isMaskable(tensor)) return "guarded";
  return tensor.variance < threshold ? "passenger" : "driver";
}
