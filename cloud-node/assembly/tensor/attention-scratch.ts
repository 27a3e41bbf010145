/**
 * What attention keeps until it returns:
 *
 *   scratch  K panels | V panels | Q panels of a block | gradient panels of a block | weights (keys, 64)
 *            | gradients of weights (keys, 64) | one panel | one number for each query
 */

/** Queries of a block. */
export const ATTENTION_BLOCK: i32 = 64;
/** Bytes from key to key of the weights. */
export const KEY_STRIDE: usize = 256;

export let keyPanels: usize = 0;
export let valuePanels: usize = 0;
export let queryPanels: usize = 0;
export let gradPanels: usize = 0;
export let weights: usize = 0;
export let weightGrads: usize = 0;
export let onePanel: usize = 0;
export let perQuery: usize = 0;

/** Numbers of scratch for sequences of T rows. */
export function attentionScratch(T: i32, headDim: i32): i32 {
  return i32(layOut(0, T, headDim) >> 2);
}

export function layOut(scratch: usize, T: i32, headDim: i32): usize {
  const keys = usize((T + 15) & ~7);
  const heads = (keys * usize(headDim)) << 2;
  const blocks = usize(ATTENTION_BLOCK * headDim) << 2;
  keyPanels = scratch;
  valuePanels = keyPanels + heads;
  queryPanels = valuePanels + heads;
  gradPanels = queryPanels + blocks;
  weights = gradPanels + blocks;
  weightGrads = weights + keys * KEY_STRIDE;
  onePanel = weightGrads + keys * KEY_STRIDE;
  perQuery = onePanel + (ATTENTION_BLOCK << 5);
  return perQuery + KEY_STRIDE;
}
