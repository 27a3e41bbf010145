/**
 * Coarse codes, by which most rows of a list are passed over. They are made from the codes of rows when an index is
 * loaded, and kept in no file.
 *
 * A plane has a bit for each dimension of a block of 16; a block of dimensions with more spread has more planes. The
 * coarse code stands for v, v_j = deviation_j * (±w_1 ± w_2 …), a sign and a weight for each plane of the block:
 * uniform levels, as one bit after the other halves what is left. With the factor f = <u, u> / <u, v> what is missing,
 * u - f v, is orthogonal to u: a query near the row, which differs from the anchor much as u does, is not told that the
 * row is farther than it is.
 *
 * 16 rows of a list are a block of coarseBlockBytes():
 *
 *   0        16 bytes for each half of a plane, byte i its 8 bits of row i
 *   …        term    f32 each: l2: the record's + 2 a <c, f v - u>; ip: 0; NaN where there is no row
 *   + 64     scale   f32 each: a f
 *   + 128    spread  f32 each: a |u - f v| / sqrt(E), what <x, a u> and <x, a f v> differ by for x of length 1 that is
 *            spread over E dimensions; a |u| where f is 0
 *
 * @see Gao and Long 2024, "RaBitQ", section 3.2 (the same factor, for signs)
 */
import { levelUnit } from "./levels";
import { blockBits, codedBlocks, paddedD, plainBlocks } from "./model-shape";
import { total } from "./rotation";
import { levelCount, recordBytes } from "./row-record";

/** Weights of the planes of a block, by how many it has: the best of 2 levels, 4 levels, then uniform ones. */
const WEIGHTS: usize = memory.data<f32>(
  [0.798, 0, 0, 0, 0.9816, 0.5288, 0, 0, 1.172, 0.586, 0.293, 0, 1.341, 0.6704, 0.3352, 0.1676],
  16,
);
export const ROWS: i32 = 16;

export let planes: i32 = 0;
/** A byte for each of the D / 16 blocks of dimensions: how many planes. */
let planeCounts: usize = 0;
let deviations: usize = 0;
let effectiveDimensions: f32 = 1;

/**
 * @param counts     a byte for each block of dimensions: planes, 0 to 4; stays the caller's, unchanged
 * @param standard   (D) f32: deviations; stays the caller's, unchanged
 * @param effective  E, over how many dimensions a query's difference from an anchor counts as spread
 */
export function setPlanes(count: i32, counts: usize, standard: usize, effective: f32): void {
  planes = count;
  planeCounts = counts;
  deviations = standard;
  effectiveDimensions = effective;
}

export function coarseBlockBytes(): i32 {
  return planes * 32 + 192;
}

export function planeWeight(count: i32, plane: i32): f32 {
  return load<f32>(WEIGHTS + (((count - 1) * 4 + plane) << 2));
}

export function planesOf(block: i32): i32 {
  return load<u8>(planeCounts + block);
}

/** Bytes that `packCoarse` needs for itself. */
export function packScratchBytes(): i32 {
  return paddedD * 8;
}

/**
 * Make the coarse codes of a list.
 *
 * @param records  (count) records of rows; terms that are Infinity are put in their place
 * @param anchor   (D) f32
 * @param useTerm  1 for l2, 0 for ip
 * @param blocks   ceil(count / 16) blocks, overwritten
 */
export function packCoarse(
  count: i32,
  records: usize,
  anchor: usize,
  useTerm: i32,
  blocks: usize,
  scratch: usize,
): void {
  const sides = planes << 5;
  const room = (count + ROWS - 1) & ~(ROWS - 1);
  for (let i = 0; i < room; i++) {
    const block = blocks + <usize>(i >> 4) * coarseBlockBytes();
    const lane = i & 15;
    const side = block + sides + (lane << 2);
    if (i < count) packRow(records + <usize>i * recordBytes(), anchor, useTerm, block + lane, side, scratch);
    else store<f32>(side, f32.NaN);
  }
}

function packRow(record: usize, anchor: usize, useTerm: i32, bytes: usize, side: usize, scratch: usize): void {
  const a = load<f32>(record + levelCount());
  const fine = scratch;
  const coarse = fine + 4 * paddedD;
  for (let block = 0; block < paddedD >> 4; block++) {
    const unit = block < plainBlocks + codedBlocks ? levelUnit(blockBits(block)) : 0;
    const count = planesOf(block);
    bytes = packBlock(block, unit, count, record, fine, coarse, bytes);
  }
  let uu = f32x4.splat(0);
  let uv = f32x4.splat(0);
  let vv = f32x4.splat(0);
  for (let j = 0; j < paddedD << 2; j += 16) {
    const u = v128.load(fine + j);
    const v = v128.load(coarse + j);
    uu = f32x4.add(uu, f32x4.mul(u, u));
    uv = f32x4.add(uv, f32x4.mul(u, v));
    vv = f32x4.add(vv, f32x4.mul(v, v));
  }
  // Where u has nothing in the dimensions that have planes, all of it is missing, and a query near the row lies along it.
  const isCoarse = total(uv) > 0;
  const factor = isCoarse ? total(uu) / total(uv) : 0;
  const off = isCoarse ? max<f32>(0, factor * factor * total(vv) - total(uu)) / effectiveDimensions : total(uu);
  let along = f32x4.splat(0);
  for (let j = 0; useTerm && j < paddedD << 2; j += 16) {
    const off = f32x4.sub(f32x4.mul(f32x4.splat(factor), v128.load(coarse + j)), v128.load(fine + j));
    along = f32x4.add(along, f32x4.mul(v128.load(anchor + j), off));
  }
  store<f32>(side, termOf(record, anchor, a, fine, total(uu), useTerm) + 2 * a * total(along));
  store<f32>(side, a * factor, 64);
  store<f32>(side, abs(a) * sqrt(off), 128);
}

/** The record's term; from u, and put into the record, where it was too large for a half. */
function termOf(record: usize, anchor: usize, a: f32, u: usize, norm: f32, useTerm: i32): f32 {
  const side = record + levelCount();
  const kept = load<f32>(side, 4);
  if (!useTerm || kept != f32.POSITIVE_INFINITY) return kept;
  let sum = f32x4.splat(0);
  for (let j = 0; j < paddedD << 2; j += 16) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(anchor + j), v128.load(u + j)));
  }
  const term = a * a * norm + 2 * a * total(sum);
  store<f32>(side, term, 4);
  return term;
}

/** The planes of one block of dimensions, and u and v in it. Returns where the next block's planes begin. */
function packBlock(block: i32, unit: f32, count: i32, levels: usize, fine: usize, coarse: usize, bytes: usize): usize {
  const first = block << 4;
  for (let lane = 0; lane < 16; lane++) {
    const j = first + lane;
    const deviation = load<f32>(deviations + (j << 2));
    const y = unit > 0 ? <f32>load<i8>(levels + j) * unit : 0;
    let left = y;
    for (let plane = 0; plane < count; plane++) {
      const weight = planeWeight(count, plane);
      const half = bytes + (plane << 5) + ((lane >> 3) << 4);
      const bit = left >= 0 ? 1 : 0;
      const others = lane & 7 ? load<u8>(half) : 0;
      store<u8>(half, others | (bit << (lane & 7)));
      left -= bit ? weight : -weight;
    }
    store<f32>(fine + (j << 2), y * deviation);
    store<f32>(coarse + (j << 2), count > 0 ? (y - left) * deviation : 0);
  }
  return bytes + (count << 5);
}
