/**
 * Causal attention, a block of queries at a time. Weights are kept by key, so that a vector holds neighbouring queries
 * and a softmax needs no sums across lanes.
 */
import { divideRows, multiplyByKey, multiplyLower, multiplyWeights, rowProducts } from "./attention-products";
import {
  ATTENTION_BLOCK,
  gradPanels,
  keyPanels,
  layOut,
  queryPanels,
  valuePanels,
  weightGrads,
  weights,
} from "./attention-scratch";
import { dropWeights, softmax, softmaxGradient } from "./attention-softmax";
import { isDrawn } from "./dropout";
import { packColumnsTransposed, packRows } from "./pack";

export function attention(
  out: usize,
  q: usize,
  k: usize,
  v: usize,
  logSums: usize,
  scratch: usize,
  batch: i32,
  T: i32,
  heads: i32,
  kvHeads: i32,
  headDim: i32,
  qStride: i32,
  kStride: i32,
  vStride: i32,
  scale: f32,
  draw: usize,
  rate: f64,
): void {
  layOut(scratch, T, headDim);
  const group = heads / kvHeads;
  const outBytes = usize(heads * headDim) << 2;
  const qBytes = usize(qStride) << 2;
  const kBytes = usize(kStride) << 2;
  const vBytes = usize(vStride) << 2;
  for (let pair = 0; pair < batch * heads; pair++) {
    const head = pair % heads;
    const row = usize((pair / heads) * T);
    const column = usize(head * headDim) << 2;
    const kvColumn = usize((head / group) * headDim) << 2;
    const values = v + row * vBytes + kvColumn;
    if (head % group == 0) packRows(keyPanels, k + row * kBytes + kvColumn, kBytes, T, headDim);
    for (let first = 0; first < T; first += ATTENTION_BLOCK) {
      const queries = min(ATTENTION_BLOCK, T - first);
      packColumnsTransposed(queryPanels, q + (row + first) * qBytes + column, qBytes, queries, headDim);
      multiplyLower(weights, keyPanels, queryPanels, first, queries, headDim);
      softmax(logSums + (usize(pair * T + first) << 2), first, queries, scale);
      if (isDrawn(draw)) dropWeights(weights, draw, rate, pair, T, first, queries);
      const to = out + (row + first) * outBytes + column;
      multiplyWeights(to, outBytes, weights, values, vBytes, first, queries, headDim, 0);
      divideRows(to, outBytes, queries, headDim);
    }
  }
}

export function attentionGradient(
  qGrad: usize,
  kGrad: usize,
  vGrad: usize,
  grad: usize,
  out: usize,
  q: usize,
  k: usize,
  v: usize,
  logSums: usize,
  scratch: usize,
  batch: i32,
  T: i32,
  heads: i32,
  kvHeads: i32,
  headDim: i32,
  qStride: i32,
  kStride: i32,
  vStride: i32,
  scale: f32,
  draw: usize,
  rate: f64,
  addQ: i32,
  addK: i32,
  addV: i32,
): void {
  layOut(scratch, T, headDim);
  const group = heads / kvHeads;
  const outBytes = usize(heads * headDim) << 2;
  const qBytes = usize(qStride) << 2;
  const kBytes = usize(kStride) << 2;
  const vBytes = usize(vStride) << 2;
  for (let pair = 0; pair < batch * heads; pair++) {
    const head = pair % heads;
    const row = usize((pair / heads) * T);
    const column = usize(head * headDim) << 2;
    const kvColumn = usize((head / group) * headDim) << 2;
    const keyAt = row * kBytes + kvColumn;
    const valueAt = row * vBytes + kvColumn;
    if (head % group == 0) {
      packRows(keyPanels, k + keyAt, kBytes, T, headDim);
      packRows(valuePanels, v + valueAt, vBytes, T, headDim);
    }
    // The last block has all keys: it writes their gradients first, and the others add to them.
    const lastBlock = (T - 1) & ~(ATTENTION_BLOCK - 1);
    for (let first = lastBlock; first >= 0; first -= ATTENTION_BLOCK) {
      const queries = min(ATTENTION_BLOCK, T - first);
      const isLater = head % group != 0 || first < lastBlock;
      const queryAt = (row + first) * qBytes + column;
      const from = grad + (row + first) * outBytes + column;
      packColumnsTransposed(queryPanels, q + queryAt, qBytes, queries, headDim);
      packColumnsTransposed(gradPanels, from, outBytes, queries, headDim);
      multiplyLower(weights, keyPanels, queryPanels, first, queries, headDim);
      multiplyLower(weightGrads, valuePanels, gradPanels, first, queries, headDim);
      if (isDrawn(draw)) dropWeights(weightGrads, draw, rate, pair, T, first, queries);
      rowProducts(from, out + (row + first) * outBytes + column, outBytes, queries, headDim);
      softmaxGradient(logSums + (usize(pair * T + first) << 2), first, queries, scale);
      if (isDrawn(draw)) dropWeights(weights, draw, rate, pair, T, first, queries);
      if (vGrad != 0) {
        multiplyByKey(vGrad + valueAt, vBytes, weights, from, outBytes, first, queries, headDim, isLater ? 1 : addV);
      }
      if (kGrad != 0) {
        multiplyByKey(
          kGrad + keyAt,
          kBytes,
          weightGrads,
          q + queryAt,
          qBytes,
          first,
          queries,
          headDim,
          isLater ? 1 : addK,
        );
      }
      if (qGrad != 0) {
        multiplyWeights(qGrad + queryAt, qBytes, weightGrads, k + keyAt, kBytes, first, queries, headDim, addQ);
      }
    }
  }
}
