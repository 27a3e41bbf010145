/** Kernels that train the anchors and the rotation of a vector index. The host lays out the memory from heapStart() on. */

// biome-ignore lint/performance/noBarrelFile: an entry's exports are the module's interface
export { addToSums, updateAnchors } from "./vector-index/anchor-update";
export { counterBits } from "./vector-index/counter-noise";
export { residuals, toGrid } from "./vector-index/grid";
export { assignRows, packPanels, panelBytes } from "./vector-index/nearest-anchor";
export { addProducts, COVARIANCE_ROWS } from "./vector-index/residual-covariance";
export { rotateRows } from "./vector-index/rotate-rows";
export { symmetricEigen } from "./vector-index/symmetric-eigen";

/** Where free memory begins. */
export function heapStart(): usize {
  return (__heap_base + 63) & ~63;
}
