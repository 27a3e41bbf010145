import type { BitDepth } from "./model.ts";

/**
 * Mean squared error of a code of so many bits a dimension, of Gaussian residuals of variance 1; bits that the coder
 * does not know are Infinity. By these numbers bits are shared out among the dimensions; `residual-coder.test.ts`
 * measures them.
 */
export const CODE_DISTORTION: Readonly<Record<BitDepth, number>> = {
  0: 1,
  1: 0.305,
  2: 0.0839,
  3: 0.0217,
  4: 0.00552,
  5: 0.00144,
  6: Infinity,
  8: 0.0000674,
};
