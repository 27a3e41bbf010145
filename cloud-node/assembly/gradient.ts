/**
 * The gradient codec: values to codes by the modes of the one quantizer, and codes to bytes by what was sent before them.
 *
 * The host lays out memory from `heapStart` on: nothing here allocates. Arithmetic is of integers and of 32-bit floats in a
 * fixed order, so that both ends compute the same bits on every machine.
 */

// biome-ignore lint/performance/noBarrelFile: an entry's exports are the module's interface
export {
  closeDenseDecoder,
  closeDenseEncoder,
  decodeDenseTensor,
  denseBytes,
  encodeDenseTensor,
  openDenseDecoder,
  openDenseEncoder,
  placeBytes,
} from "./gradient/dense";
export { digestOf } from "./gradient/digest";
export { messageSeed } from "./gradient/draws";
export { countMagnitudes, largestMagnitude, MAGNITUDES, thresholdFor } from "./gradient/magnitudes";
export {
  addValues,
  allFinite,
  MODE_ERROR_BOUNDED,
  MODE_STOCHASTIC,
  MODE_THRESHOLD,
  quantizeValues,
  topCount,
  topSum,
} from "./gradient/quantize";
export { LARGEST_SIZE } from "./gradient/size-symbols";
export {
  closeSparseDecoder,
  closeSparseEncoder,
  decodeTensor,
  encodeTensor,
  eventBytes,
  openSparseDecoder,
  openSparseEncoder,
  workBytes,
} from "./gradient/sparse";
export { transposeCodes } from "./gradient/transpose";
export { addNumbers, followSquares, unitsOf } from "./gradient/units";
export { crc32c } from "./trajectory/crc32c";

/** First free byte of memory. */
export function heapStart(): usize {
  return (__heap_base + 63) & ~63;
}
