import { LARGEST_SIZE } from "./gradient-message.ts";

/**
 * How values become codes; u = value / weight, D = the tensor's step.
 *
 *     error-bounded   |value − decoded| ≤ D · weight / 2
 *     threshold       0 where |u| < D; beyond it bins of width D, the last of `levels` without an end
 *     top-k           threshold, with a D such that about `share` of the coordinates that are included have codes, in each
 *                     tensor or in the message
 *     stochastic      2 … 8 bits: decoded is the value on average; D is the tensor's largest |u| / (2^(bits − 1) − 1)
 */
export type CoderMode =
  | { readonly kind: "error-bounded" }
  | { readonly kind: "threshold"; readonly levels: number }
  | { readonly kind: "top-k"; readonly share: number; readonly levels: number; readonly of: "tensor" | "message" }
  | { readonly kind: "stochastic"; readonly bits: number };

/** What both ends know before a message, and must have the same bits of. */
export interface CoderControl {
  /**
   * Step per tensor, in units of the weights, 2^-60 … 2^60; taken as the largest bfloat16 that is not above it. For encoders in
   * the modes error-bounded and threshold: steps travel.
   */
  readonly steps?: Float32Array | undefined;
  /** Unit of each coordinate, (N), above 0; 1 unless given. */
  readonly weights?: Float32Array | undefined;
  /** Per tensor: 0 leaves it out; it is decoded as zeros. For encoders: it travels. */
  readonly included?: Uint8Array | undefined;
}

/** Codes of error-bounded messages are 16 bits long. */
export const LARGEST_CODE = 32_767;

/** The largest size of a code. */
export function largestCode(mode: CoderMode): number {
  if (mode.kind === "error-bounded") return LARGEST_CODE;
  return mode.kind === "stochastic" ? 2 ** (mode.bits - 1) - 1 : mode.levels;
}

/** What is wrong with a mode; undefined when nothing is. */
export function modeProblem(mode: CoderMode): string | undefined {
  switch (mode.kind) {
    case "error-bounded":
      return undefined;
    case "stochastic":
      return isWhole(mode.bits, 2, 8) ? undefined : `bits: ${mode.bits} is no whole number from 2 to 8`;
    case "top-k":
      if (!(mode.share > 0 && mode.share <= 1)) return `share: ${mode.share} is not above 0 and at most 1`;
      return levelsProblem(mode.levels);
    case "threshold":
      return levelsProblem(mode.levels);
  }
}

function levelsProblem(levels: number): string | undefined {
  return isWhole(levels, 1, LARGEST_SIZE)
    ? undefined
    : `levels: ${levels} is no whole number from 1 to ${LARGEST_SIZE}`;
}

function isWhole(x: number, least: number, most: number): boolean {
  return Number.isInteger(x) && x >= least && x <= most;
}
