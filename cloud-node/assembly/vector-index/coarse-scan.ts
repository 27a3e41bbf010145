/**
 * Bounds on the distances of 16 rows at once, from their coarse codes. Of each 4 bits of a plane a query has a table of
 * 16 sums, as integers of 6 bits. A plane is four tables, looked up by shuffles for 16 rows and added up in 8 bits; planes
 * are added up in 16 bits.
 */
import { planes, planesOf, planeWeight } from "./coarse-code";
import { paddedD } from "./model-shape";

/** Largest entry of a table: four of them fit 8 bits. */
const LARGEST: f32 = 63;
/** How many standard deviations of a table's rounding a bound lies lower. */
const ROUNDING_SLACK: f32 = 2.5;
/** Signs of the four bits in the 16 sums. */
const ONES: usize = memory.data<f32>([-1, 1, -1, 1, -1, -1, 1, 1], 16);

/** What a table's unit is worth, and what the sums of a row without any are. */
export let step: f32 = 0;
export let start: f32 = 0;
/** What the tables' rounding may take from a row's sum, or add to it: some standard deviations of all of it. */
let roundingMargin: f32 = 0;

export function tableBytes(): i32 {
  return planes * 64;
}

/**
 * Build a query's tables.
 *
 * @param query   (D) f32
 * @param weighted  64 planes bytes, overwritten
 * @param tables    tableBytes(), 16-byte aligned, overwritten
 */
export function buildTables(query: usize, deviations: usize, weighted: usize, tables: usize): void {
  weigh(query, deviations, weighted);
  const end = weighted + (planes << 6);
  let widest: f32 = 0;
  let least: f32 = 0;
  for (let at = weighted; at < end; at += 16) {
    const size = f32x4.abs(v128.load(at));
    const sum =
      f32x4.extract_lane(size, 0) +
      f32x4.extract_lane(size, 1) +
      f32x4.extract_lane(size, 2) +
      f32x4.extract_lane(size, 3);
    widest = max(widest, sum);
    least -= sum;
  }
  step = (2 * widest) / LARGEST;
  start = least;
  roundingMargin = ROUNDING_SLACK * step * sqrt<f32>((<f32>planes * 4) / 12);
  const scale: f32 = widest > 0 ? <f32>1 / step : 0;
  const low = v128.load(ONES);
  const high = v128.load(ONES, 16);
  for (let at = weighted; at < end; at += 16) {
    const h = f32x4.mul(v128.load(at), f32x4.splat(scale));
    const sum = f32x4.abs(h);
    const middle =
      f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3);
    const pairs = f32x4.add(
      f32x4.mul(v128.shuffle<f32>(h, h, 0, 0, 0, 0), low),
      f32x4.add(f32x4.mul(v128.shuffle<f32>(h, h, 1, 1, 1, 1), high), f32x4.splat(middle)),
    );
    const third = v128.shuffle<f32>(h, h, 2, 2, 2, 2);
    const fourth = v128.shuffle<f32>(h, h, 3, 3, 3, 3);
    const without = f32x4.sub(pairs, third);
    const having = f32x4.add(pairs, third);
    v128.store(
      tables,
      i8x16.narrow_i16x8_u(
        i16x8.narrow_i32x4_s(whole(f32x4.sub(without, fourth)), whole(f32x4.sub(having, fourth))),
        i16x8.narrow_i32x4_s(whole(f32x4.add(without, fourth)), whole(f32x4.add(having, fourth))),
      ),
    );
    tables += 16;
  }
}

function whole(x: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(x));
}

/** What the query's dimensions count in each plane. */
function weigh(query: usize, deviations: usize, weighted: usize): void {
  for (let block = 0; block < paddedD >> 4; block++) {
    const count = planesOf(block);
    for (let plane = 0; plane < count; plane++) {
      const weight = f32x4.splat(planeWeight(count, plane));
      for (let i = 0; i < 64; i += 16) {
        const at = (block << 6) + i;
        const h = f32x4.mul(v128.load(query + at), v128.load(deviations + at));
        v128.store(weighted + i, f32x4.mul(h, weight));
      }
      weighted += 64;
    }
  }
}

/**
 * Lower bounds of the distances of a block's rows: base + term + factor * scale * <query, v> - slack * spread, and NaN
 * where there is no row.
 *
 * @param bounds  16 f32, overwritten
 * @returns a bit for each row whose bound is not above `limit`
 */
export function boundBlock(
  block: usize,
  tables: usize,
  base: f32,
  factor: f32,
  slack: f32,
  limit: f32,
  bounds: usize,
): i32 {
  let even = i16x8.splat(0);
  let odd = i16x8.splat(0);
  const sides = block + (planes << 5);
  for (; block < sides; block += 32) {
    const sums = i8x16.add(sumsOf(v128.load(block), tables), sumsOf(v128.load(block, 16), tables + 32));
    even = i16x8.add(even, v128.and(sums, i16x8.splat(255)));
    odd = i16x8.add(odd, i16x8.shr_u(sums, 8));
    tables += 64;
  }
  const low = v128.shuffle<i16>(even, odd, 0, 8, 1, 9, 2, 10, 3, 11);
  const high = v128.shuffle<i16>(even, odd, 4, 12, 5, 13, 6, 14, 7, 15);
  const unit = f32x4.splat(factor * step);
  const first = f32x4.splat(factor * (start + roundingMargin));
  const top = f32x4.splat(base);
  const margin = f32x4.splat(slack);
  const most = f32x4.splat(limit);
  const b0 = bound(i32x4.extend_low_i16x8_u(low), sides, unit, first, top, margin);
  const b1 = bound(i32x4.extend_high_i16x8_u(low), sides + 16, unit, first, top, margin);
  const b2 = bound(i32x4.extend_low_i16x8_u(high), sides + 32, unit, first, top, margin);
  const b3 = bound(i32x4.extend_high_i16x8_u(high), sides + 48, unit, first, top, margin);
  v128.store(bounds, b0);
  v128.store(bounds, b1, 16);
  v128.store(bounds, b2, 32);
  v128.store(bounds, b3, 48);
  return i8x16.bitmask(
    i8x16.narrow_i16x8_s(
      i16x8.narrow_i32x4_s(f32x4.le(b0, most), f32x4.le(b1, most)),
      i16x8.narrow_i32x4_s(f32x4.le(b2, most), f32x4.le(b3, most)),
    ),
  );
}

/** The sums that a byte of each row stands for, of the tables of its two halves. */
function sumsOf(bytes: v128, tables: usize): v128 {
  const nibble = i8x16.splat(15);
  return i8x16.add(
    i8x16.relaxed_swizzle(v128.load(tables), v128.and(bytes, nibble)),
    i8x16.relaxed_swizzle(v128.load(tables, 16), v128.and(i16x8.shr_u(bytes, 4), nibble)),
  );
}

function bound(sums: v128, side: usize, unit: v128, first: v128, top: v128, margin: v128): v128 {
  const product = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sums), unit), first);
  const estimate = f32x4.add(f32x4.add(top, v128.load(side)), f32x4.mul(v128.load(side, 64), product));
  return f32x4.sub(estimate, f32x4.mul(margin, v128.load(side, 128)));
}
