/** As PyTorch's clip_grad_norm_ adds to the gradient's length. */
export const CLIP_EPS = 1e-6;

/** Decoupled weight decay. @see Loshchilov and Hutter 2019, "Decoupled weight decay regularization", algorithm 2 */
export interface AdamWGroup {
  readonly kind: "adamw";
  readonly parameters: readonly string[];
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** Times the learning rate. */
  readonly weightDecay: number;
}

/**
 * Momentum, made orthogonal by Newton–Schulz steps, for matrices.
 *
 * @see Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"
 */
export interface MuonGroup {
  readonly kind: "muon";
  /** Weights of matrix products. */
  readonly parameters: readonly string[];
  readonly learningRate: number;
  readonly momentum: number;
  /** Times the learning rate. */
  readonly weightDecay: number;
}

/** One update of the parameters named in its groups; others stay as they are. */
export interface OptimizerStep {
  /** 1 for the first update: AdamW corrects its averages by it. */
  readonly step: number;
  /** Gradients are scaled down to this global norm; all trained parameters count. Not clipped when absent. */
  readonly clipNorm?: number;
  readonly groups: readonly (AdamWGroup | MuonGroup)[];
}
