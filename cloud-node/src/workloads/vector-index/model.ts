/** How near two vectors are: squared distance, inner product, or the angle between them. */
export type Metric = "l2" | "ip" | "cosine";

/** Bits that the coder can spend on one dimension of a residual. */
export const BIT_DEPTHS = [0, 1, 2, 3, 4, 5, 6, 8] as const;
export type BitDepth = (typeof BIT_DEPTHS)[number];

/** Dimensions are given bits in groups of so many: the bytes of a vector register. */
export const GROUP_DIMS = 16;

/** Rotated dimensions [from, to) that are coded with the same bits; both are multiples of GROUP_DIMS. */
export interface BitGroup {
  readonly bits: BitDepth;
  readonly from: number;
  readonly to: number;
}

/**
 * All that is trained. D = `paddedD` is d rounded up to a multiple of GROUP_DIMS; a vector x of d numbers is
 * z = rotation · (x − mean) in rotated space, with x − mean continued by zeros. The rotation is orthogonal, so that
 * distances in rotated space are those between the vectors.
 */
export interface IndexModel {
  readonly d: number;
  readonly paddedD: number;
  /** Anchors, ≥ 1. */
  readonly m: number;
  readonly metric: Metric;
  readonly seed: number;
  /** Shape (d). */
  readonly mean: Float32Array;
  /** Shape (D, D), row-major. */
  readonly rotation: Float32Array;
  /** Shape (m, D), in rotated space; each value is a float16 times 2^`anchorExponent`. */
  readonly anchors: Float32Array;
  readonly anchorExponent: number;
  /** Cover [0, D), by falling bits. */
  readonly groups: readonly BitGroup[];
  /** Shape (D): standard deviation of the residuals in each rotated dimension, > 0. */
  readonly sigma: Float32Array;
}

/** d rounded up to whole groups. */
export function paddedDimensions(d: number): number {
  return Math.ceil(d / GROUP_DIMS) * GROUP_DIMS;
}
