/** Where an instance keeps what its kernels need until they return: threads share the memory, and have each their own. */

/** A tile of which a part is wanted. */
const EDGE_BYTES: usize = 384;
/** Numbers of a strip: what functions are computed of at a time, in the first-level cache. */
export const STRIP: i32 = 256;
const STRIP_BYTES: usize = usize(STRIP) << 2;

let workArea: usize = 0;

/** @param at  of `WORK_BYTES` */
export function setWorkArea(at: usize): void {
  workArea = at;
}

export function edgeTile(): usize {
  return workArea;
}

/** One of some strips; not used while there are panels. */
export function strip(index: i32): usize {
  return workArea + EDGE_BYTES + usize(index) * STRIP_BYTES;
}

/** The panels of a product. */
export function panels(): usize {
  return workArea + EDGE_BYTES;
}

/** Bytes that a product's panels may take, and all with them. */
export const PANEL_BYTES: usize = 4 * (144 + 512) * 384;
export const WORK_BYTES: usize = EDGE_BYTES + PANEL_BYTES;
