/**
 * Codes of vectors, and the search among them; docs/vector-index-format.md specifies the code of a row.
 *
 * The host lays out memory from `heapStart` on: nothing here allocates.
 */
export { normBytes, roundAnchors, roundedBytes } from "./vector-index/anchor-choice";
export { coarseBlockBytes, packCoarse, packScratchBytes, setPlanes } from "./vector-index/coarse-code";
export { levelUnit } from "./vector-index/levels";
export { setShape } from "./vector-index/model-shape";
export { queryScratchBytes, searchRows, setRows, setSearchModel } from "./vector-index/query";
export { coderScratchBytes, decodeRows, encodeRows, setCoder } from "./vector-index/row-coder";
export { packRecords, recordBytes } from "./vector-index/row-record";

/** First free byte of memory. */
export function heapStart(): usize {
  return (__heap_base + 63) & ~63;
}
