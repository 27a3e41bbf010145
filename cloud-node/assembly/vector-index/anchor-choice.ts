/** Which lists a query visits: those whose anchors, rounded to 12 bits, are nearest to it. */
import { dotWide } from "./integer-query";
import { numberOf, orderOf, pushKey, replaceLargest, sortHeap } from "./key-heap";
import { paddedD } from "./model-shape";

/** Largest integer of a rounded anchor. */
export const ANCHOR_REACH: f32 = 2047;

/**
 * Round anchors.
 *
 * @param anchors  (m, D) f32
 * @param rounded  (m, D) i16, overwritten
 * @param norms    (m) f32, overwritten: squared lengths
 * @returns what one unit is worth
 */
export function roundAnchors(anchors: usize, m: i32, rounded: usize, norms: usize): f32 {
  let largest: f32 = 0;
  const count = <usize>m * paddedD;
  for (let i: usize = 0; i < count; i++) largest = max(largest, abs(load<f32>(anchors + (i << 2))));
  const unit = largest > 0 ? largest / ANCHOR_REACH : 1;
  for (let j: usize = 0; j < <usize>m; j++) {
    let norm: f32 = 0;
    for (let i = j * paddedD; i < (j + 1) * paddedD; i++) {
      const x = load<f32>(anchors + (i << 2));
      norm += x * x;
      store<i16>(rounded + (i << 1), <i16>nearest(x / unit));
    }
    store<f32>(norms + (j << 2), norm);
  }
  return unit;
}

/**
 * The `probes` nearest anchors.
 *
 * @param query    (D) i16, one of its units being `queryUnit`
 * @param factor   what the inner product counts: -2 for l2, -1 for ip
 * @param norms    (m) f32, or 0 for ip
 * @param keys     (probes) u64, overwritten: by rising distance, the anchor's number in the low half
 */
export function chooseLists(
  query: usize,
  queryUnit: f32,
  factor: f32,
  m: i32,
  rounded: usize,
  norms: usize,
  anchorUnit: f32,
  probes: i32,
  keys: usize,
): void {
  const unit = factor * queryUnit * anchorUnit;
  const stride = (<usize>paddedD) << 1;
  let limit: f32 = f32.MAX_VALUE;
  for (let j = 0; j < m; j++) {
    const norm: f32 = norms === 0 ? 0 : load<f32>(norms + ((<usize>j) << 2));
    const distance = norm + unit * <f32>dotWide(query, rounded + <usize>j * stride);
    if (j >= probes && distance >= limit) continue;
    const key = ((<u64>orderOf(distance)) << 32) | <u64>j;
    if (j < probes) pushKey(keys, j, key);
    else replaceLargest(keys, probes, key);
    if (j >= probes - 1) limit = numberOf(<u32>(load<u64>(keys) >> 32));
  }
  sortHeap(keys, probes);
}
