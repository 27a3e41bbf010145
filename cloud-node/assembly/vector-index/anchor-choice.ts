/**
 * Which lists a query visits: those whose anchors are nearest to it. For the choice anchors are rounded to 7 bits and
 * queries to 8; a rounded anchor is kept as an unsigned number, ANCHOR_ZERO for 0, for which a relaxed dot product of
 * bytes is the same on every machine.
 */
import { keyAt, numberOf, orderOf, pushKey, replaceLargest, sortHeap } from "./key-heap";
import { paddedD } from "./model-shape";

const ANCHOR_ZERO: i32 = 64;
const ANCHOR_REACH: f32 = 63;
const QUERY_REACH: f32 = 127;
/** Anchors that are compared at once; there is room for so many more of them. */
const ANCHORS: i32 = 4;

/** What the sum of a rounded query's numbers is, and what one of its units is worth. */
let querySum: i32 = 0;
let queryUnit: f32 = 0;

/** Bytes of m rounded anchors, and of their squared lengths. */
export function roundedBytes(m: i32): i32 {
  return ((m + ANCHORS - 1) & -ANCHORS) * paddedD;
}
export function normBytes(m: i32): i32 {
  return ((m + ANCHORS - 1) & -ANCHORS) * 4;
}

/**
 * Round anchors.
 *
 * @param anchors   (m, D) f32
 * @param hasNorms  1 for l2; 0 for ip, where an anchor's length does not count
 * @param rounded   roundedBytes(m), overwritten
 * @param norms     normBytes(m), overwritten: f32; infinity behind the last
 * @returns what one unit is worth
 */
export function roundAnchors(anchors: usize, m: i32, hasNorms: i32, rounded: usize, norms: usize): f32 {
  let largest: f32 = 0;
  const count = <usize>m * paddedD;
  for (let i: usize = 0; i < count; i++) largest = max(largest, abs(load<f32>(anchors + (i << 2))));
  const unit = largest > 0 ? largest / ANCHOR_REACH : 1;
  memory.fill(rounded, <u8>ANCHOR_ZERO, roundedBytes(m));
  for (let j: usize = 0; j < <usize>normBytes(m); j += 4) store<f32>(norms + j, Infinity);
  for (let j: usize = 0; j < <usize>m; j++) {
    let norm: f32 = 0;
    for (let i = j * paddedD; i < (j + 1) * paddedD; i++) {
      const x = load<f32>(anchors + (i << 2));
      norm += x * x;
      store<u8>(rounded + i, <u8>(<i32>nearest(x / unit) + ANCHOR_ZERO));
    }
    store<f32>(norms + (j << 2), hasNorms ? norm : 0);
  }
  return unit;
}

/** Round a query, (D) f32, to D bytes. */
export function roundForChoice(query: usize, out: usize): void {
  let largest = f32x4.splat(0);
  for (let j = 0; j < paddedD << 2; j += 16) largest = f32x4.max(largest, f32x4.abs(v128.load(query + j)));
  const top = max(
    max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
  queryUnit = top > 0 ? top / QUERY_REACH : 1;
  const scale = f32x4.splat(<f32>1 / queryUnit);
  let sum = i32x4.splat(0);
  for (let j = 0; j < paddedD; j += 16) {
    const at = query + (j << 2);
    const a = rounded(v128.load(at), scale);
    const b = rounded(v128.load(at, 16), scale);
    const c = rounded(v128.load(at, 32), scale);
    const d = rounded(v128.load(at, 48), scale);
    sum = i32x4.add(sum, i32x4.add(i32x4.add(a, b), i32x4.add(c, d)));
    v128.store(out + j, i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)));
  }
  querySum =
    i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1) + i32x4.extract_lane(sum, 2) + i32x4.extract_lane(sum, 3);
}

function rounded(x: v128, scale: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(x, scale)));
}

/**
 * The `probes` nearest anchors of the query that was rounded last.
 *
 * @param query       its bytes
 * @param factor      what the inner product counts: -2 for l2, -1 for ip
 * @param anchorUnit  as `roundAnchors` returned it
 * @param keys        (probes) entries of a heap, overwritten: by rising distance, the anchor's number the key's low half
 * @returns how many: fewer where distances are infinite or none
 */
export function chooseLists(
  query: usize,
  factor: f32,
  m: i32,
  anchors: usize,
  norms: usize,
  anchorUnit: f32,
  probes: i32,
  keys: usize,
): i32 {
  const unit = f32x4.splat(factor * queryUnit * anchorUnit);
  const zero = i32x4.splat(querySum * ANCHOR_ZERO);
  const D = <usize>paddedD;
  let limit: f32 = Infinity;
  let found = 0;
  for (let first = 0; first < m; first += ANCHORS) {
    const dots = i32x4.sub(dotFour(query, anchors, D), zero);
    const distances = f32x4.add(v128.load(norms), f32x4.mul(unit, f32x4.convert_i32x4_s(dots)));
    anchors += <usize>ANCHORS * D;
    norms += ANCHORS * 4;
    let open = i32x4.bitmask(f32x4.lt(distances, f32x4.splat(limit)));
    for (; open !== 0; open &= open - 1) {
      const lane = ctz(open);
      const key = ((<u64>orderOf(laneOf(distances, lane))) << 32) | <u64>(first + lane);
      if (found < probes) {
        pushKey(keys, found, key, 0);
        found++;
      } else if (key < keyAt(keys, 0)) replaceLargest(keys, probes, key, 0);
      if (found === probes) limit = numberOf(<u32>(keyAt(keys, 0) >> 32));
    }
  }
  sortHeap(keys, found);
  return found;
}

/** A query's products with four anchors. */
function dotFour(query: usize, anchors: usize, D: usize): v128 {
  let sum0 = i32x4.splat(0);
  let sum1 = i32x4.splat(0);
  let sum2 = i32x4.splat(0);
  let sum3 = i32x4.splat(0);
  const end = query + D;
  let anchors2 = anchors + 2 * D;
  for (; query < end; query += 16) {
    const x = v128.load(query);
    sum0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, v128.load(anchors), sum0);
    sum1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, v128.load(anchors + D), sum1);
    sum2 = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, v128.load(anchors2), sum2);
    sum3 = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, v128.load(anchors2 + D), sum3);
    anchors += 16;
    anchors2 += 16;
  }
  const low = i32x4.add(v128.shuffle<i32>(sum0, sum1, 0, 4, 2, 6), v128.shuffle<i32>(sum0, sum1, 1, 5, 3, 7));
  const high = i32x4.add(v128.shuffle<i32>(sum2, sum3, 0, 4, 2, 6), v128.shuffle<i32>(sum2, sum3, 1, 5, 3, 7));
  return i32x4.add(v128.shuffle<i32>(low, high, 0, 1, 4, 5), v128.shuffle<i32>(low, high, 2, 3, 6, 7));
}

function laneOf(x: v128, lane: i32): f32 {
  if (lane === 0) return f32x4.extract_lane(x, 0);
  if (lane === 1) return f32x4.extract_lane(x, 1);
  if (lane === 2) return f32x4.extract_lane(x, 2);
  return f32x4.extract_lane(x, 3);
}
