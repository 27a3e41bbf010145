/**
 * The trajectory codec: error-bounded blocks of columns over frames; docs/trajectory-format.md specifies them.
 *
 * The host lays out memory from `heapStart` on: nothing here allocates, and nothing is kept from call to call.
 */
export { MAX_AXES, MAX_PARTNERS, outBytes, SLACK_BYTES, strideOf, workBytes } from "./trajectory/block-layout";
export { crc32c } from "./trajectory/crc32c";
export { checkBlock, decodeBlock } from "./trajectory/decode-block";
export { encodeBlock } from "./trajectory/encode-block";
export {
  escapeValues,
  fromFixed,
  limitOf,
  scanValues,
  toFixed,
  unitOf,
  worstError,
  worstFixedError,
} from "./trajectory/fixed-point";
export { moveAlong } from "./trajectory/path";
export { MAX_FRAMES } from "./trajectory/schedule";

/** First free byte of memory. */
export function heapStart(): usize {
  return (__heap_base + 15) & ~15;
}
