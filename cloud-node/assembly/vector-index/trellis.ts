/**
 * Trellis-coded quantization with 8 states. Time runs over the coded dimensions; a bit s_t enters at each, and the two
 * low bits of its level's number, its subset, are
 *
 *   low   z0_t = s_(t-2)
 *   high  z1_t = s_t + s_(t-1) + s_(t-3)   (mod 2)
 *
 * with zeros before the first. The state before t is (s_(t-3) s_(t-2) s_(t-1)), the last the lowest bit. What a value
 * costs in each subset is read from tables by its bin, so that a step of the search is two shuffles, two additions and
 * a minimum on the sums of all 8 states in one register.
 *
 * @see Ungerboeck 1982, "Channel coding with multilevel/phase signals", table I (8 states: h0 = 13, h1 = 04)
 * @see Marcellin and Fischer 1990, "Trellis coded quantization of memoryless and Gauss-Markov sources"
 */
import { levelTable, levelUnit, MAX_CODED_BITS } from "./levels";

/** Values are taken up to so many standard deviations. */
const REACH: f32 = 5;
/** Bins of a value, narrower than the finest levels are apart. */
const BINS: i32 = 1024;
const COST_BYTES: i32 = MAX_CODED_BITS * BINS * 8;
const CHOICE_BYTES: i32 = MAX_CODED_BITS * BINS * 4;
export const TRELLIS_TABLE_BYTES: i32 = COST_BYTES + CHOICE_BYTES;

/** A squared error as large as the usual one costs this much, and none costs more than MAX_COST above the best. */
const USUAL_COST: f32 = 64;
/** Sums of 8 states differ by at most 3 of these, and 4 steps add 4: together less than 2^15. */
const MAX_COST: f32 = 4000;
/** Sum of the states that are not the first one. */
const FAR: i16 = 12000;

/**
 * Fill the tables: for each depth and bin four costs (i16), by subset, then for each the level's number without its two
 * low bits (u8).
 *
 * @param tables  TRELLIS_TABLE_BYTES, 16-byte aligned
 */
export function buildTrellisTables(tables: usize): void {
  // About the mean squared error of a trellis-coded Gaussian: 6 dB less for each bit.
  let usual: f32 = 0.33;
  for (let bits = 1; bits <= MAX_CODED_BITS; bits++) {
    for (let bin = 0; bin < BINS; bin++) {
      const at = ((bits - 1) * BINS + bin) << 2;
      const value = ((<f32>bin + 0.5) / <f32>BINS) * (2 * REACH) - REACH;
      fillBin(tables + (at << 1), tables + COST_BYTES + at, bits, value, usual);
    }
    usual *= 0.26;
  }
}

function fillBin(costs: usize, choices: usize, bits: i32, value: f32, usual: f32): void {
  const levels = levelTable(bits);
  const unit = levelUnit(bits);
  let least = f32.MAX_VALUE;
  for (let subset = 0; subset < 4; subset++) {
    const error = chooseLevel(levels, bits, subset, value, unit, choices);
    least = min(least, error);
  }
  for (let subset = 0; subset < 4; subset++) {
    const number = ((<i32>load<u8>(choices + subset)) << 2) | subset;
    const off = value - <f32>load<i8>(levels + number) * unit;
    store<i16>(costs + (subset << 1), <i16>nearest(min(MAX_COST, ((off * off - least) * USUAL_COST) / usual)));
  }
}

/** Writes which level of a subset is nearest to a value, and returns the squared distance. */
function chooseLevel(levels: usize, bits: i32, subset: i32, value: f32, unit: f32, choices: usize): f32 {
  let least = f32.MAX_VALUE;
  for (let high = 0; high < 1 << (bits - 1); high++) {
    const off = value - <f32>load<i8>(levels + ((high << 2) | subset)) * unit;
    if (off * off < least) {
      least = off * off;
      store<u8>(choices + subset, high);
    }
  }
  return least;
}

/**
 * Say in which bins values are: byte offsets into the costs.
 *
 * @param values   f32, a multiple of 16 of them
 * @param factor   what brings them to standard deviations
 * @param bits     of all of them
 * @param offsets  i32, overwritten
 */
export function findBins(values: usize, count: i32, factor: f32, bits: i32, offsets: usize): void {
  const scale = f32x4.splat((factor * <f32>BINS) / (2 * REACH));
  const middle = f32x4.splat(<f32>BINS / 2);
  const last = i32x4.splat(BINS - 1);
  const start = i32x4.splat((bits - 1) * BINS);
  for (let i = 0; i < count << 2; i += 16) {
    const x = f32x4.floor(f32x4.add(f32x4.mul(v128.load(values + i), scale), middle));
    const bin = i32x4.max_s(i32x4.min_s(i32x4.trunc_sat_f32x4_s(x), last), i32x4.splat(0));
    v128.store(offsets + i, i32x4.shl(i32x4.add(bin, start), 3));
  }
}

/**
 * The sequence of bits whose levels cost least together.
 *
 * @param tables     as `buildTrellisTables` filled them
 * @param offsets    of `count` values, in time's order
 * @param decisions  `count` bytes, overwritten: for each state, which of its two predecessors it came from
 * @param inputs     `count` bytes, overwritten: s_t
 * @param numbers    `count` bytes, overwritten: the levels' numbers
 */
export function searchTrellis(
  tables: usize,
  offsets: usize,
  count: i32,
  decisions: usize,
  inputs: usize,
  numbers: usize,
): void {
  let sums = i16x8(0, FAR, FAR, FAR, FAR, FAR, FAR, FAR);
  for (let t = 0; t < count; t++) {
    const costs = v128.load64_zero(tables + load<u32>(offsets + ((<usize>t) << 2)));
    // State n comes from n >> 1, or from that with its highest bit set, which is the other half of z1.
    const low = i16x8.add_sat_s(
      v128.shuffle<i16>(sums, sums, 0, 0, 1, 1, 2, 2, 3, 3),
      v128.shuffle<i16>(costs, costs, 0, 2, 2, 0, 1, 3, 3, 1),
    );
    const high = i16x8.add_sat_s(
      v128.shuffle<i16>(sums, sums, 4, 4, 5, 5, 6, 6, 7, 7),
      v128.shuffle<i16>(costs, costs, 2, 0, 0, 2, 3, 1, 1, 3),
    );
    store<u8>(decisions + t, i16x8.bitmask(i16x8.lt_s(high, low)));
    sums = i16x8.min_s(low, high);
    if ((t & 3) === 3) sums = i16x8.sub(sums, v128.shuffle<i16>(sums, sums, 0, 0, 0, 0, 0, 0, 0, 0));
  }
  let state = cheapest(sums);
  const choices = tables + COST_BYTES;
  for (let t = count - 1; t >= 0; t--) {
    const input = state & 1;
    const before = (state >> 1) | (((<i32>load<u8>(decisions + t) >> state) & 1) << 2);
    const subset = (((input ^ before ^ (before >> 2)) & 1) << 1) | ((before >> 1) & 1);
    const choice = load<u8>(choices + (load<u32>(offsets + ((<usize>t) << 2)) >> 1) + subset);
    store<u8>(inputs + t, input);
    store<u8>(numbers + t, ((<i32>choice) << 2) | subset);
    state = before;
  }
}

/** The state with the smallest sum, the lowest of several. */
function cheapest(sums: v128): i32 {
  let least = sums;
  least = i16x8.min_s(least, v128.shuffle<i16>(least, least, 4, 5, 6, 7, 0, 1, 2, 3));
  least = i16x8.min_s(least, v128.shuffle<i16>(least, least, 2, 3, 0, 1, 6, 7, 4, 5));
  least = i16x8.min_s(least, v128.shuffle<i16>(least, least, 1, 0, 3, 2, 5, 4, 7, 6));
  return ctz(i16x8.bitmask(i16x8.eq(sums, least)));
}
