/**
 * Kernels of the tensor engine, as `cloud-node/src/tensor/kernels.ts` says: 32-bit floats in SIMD, in memory that the
 * host lays out and threads may share. Every result is the same bits on every machine.
 */
export {
  gelu,
  geluTanh,
  relu2,
  relu2Gradient,
  softcap,
  softcapGradient,
  swiglu,
  swigluGradient,
} from "./tensor/activation";
export { attention, attentionGradient } from "./tensor/attention";
export { attentionScratch } from "./tensor/attention-scratch";
export { cachedAttention, rope } from "./tensor/cached-attention";
export { dropout } from "./tensor/dropout";
export { add, columnSums, copy, embedding, embeddingGradient, fill, multiply, scale } from "./tensor/elementwise";
export { heapStart } from "./tensor/heap";
export { crossEntropy, crossEntropyGradient } from "./tensor/loss";
export { matmul, matmulInputGradient, matmulWeightGradient } from "./tensor/matmul";
export { layerNorm, layerNormGradient, rmsNorm, rmsNormGradient } from "./tensor/norm";
export { setWide } from "./tensor/tile";
export { adamw, nesterov, sumOfSquares } from "./tensor/update";
export { setWorkArea, WORK_BYTES } from "./tensor/work-area";
