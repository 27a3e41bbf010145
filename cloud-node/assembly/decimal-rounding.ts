/**
 * m * 10^power as the nearest double, ties to even, from one or two 64-bit products.
 *
 * @see Lemire 2021, "Number parsing at a gigabyte per second", algorithm 1; Mushtak and Lemire 2023, "Fast number
 *   parsing without fallback", for why two products are enough
 */

export const SMALLEST_POWER: i32 = -342;
export const LARGEST_POWER: i32 = 308;
/**
 * The first 128 bits of 5^power, from SMALLEST_POWER on, as (high u64, low u64): rounded up for -27 <= power < 0, cut
 * off elsewhere. The host writes it before the first call.
 */
export const FIVES: usize = memory.data((LARGEST_POWER - SMALLEST_POWER + 1) * 16, 16);

/** Bits of the product that decide: 52 of the mantissa, one to round by, and two for what normalising may shift out. */
const PRECISION: u64 = 55;
/** Only between these powers can a product of 64-bit integers lie exactly between two doubles. */
const SMALLEST_TIE: i32 = -4;
const LARGEST_TIE: i32 = 23;

/** Low half of the last wideProduct. */
let productLow: u64 = 0;

/**
 * @param m  1 … 2^64 - 1
 * @returns the double; -1 where it would be subnormal, 0 or infinite: a case for slower means
 */
export function roundDecimal(m: u64, power: i32): f64 {
  if (power < SMALLEST_POWER || power > LARGEST_POWER) return -1;
  const zeros: i32 = <i32>clz(m);
  const w = m << zeros;
  const entry = FIVES + ((<usize>(power - SMALLEST_POWER)) << 4);
  let high = wideProduct(w, load<u64>(entry));
  let low = productLow;
  const mask: u64 = u64.MAX_VALUE >> PRECISION;
  if ((high & mask) == mask) {
    const carried = wideProduct(w, load<u64>(entry, 8));
    low += carried;
    if (carried > low) high++;
  }
  const upper: i32 = <i32>(high >> 63);
  const shift: u64 = upper + 9;
  let mantissa = high >> shift;
  // floor(power * log2(10)) + 63, by 217706 / 65536.
  let exponent = ((217706 * power) >> 16) + 63 + upper - zeros + 1023;
  if (exponent <= 0) return -1;
  const isTie = low <= 1 && power >= SMALLEST_TIE && power <= LARGEST_TIE && (mantissa & 3) == 1;
  if (isTie && mantissa << shift == high) mantissa &= ~1;
  mantissa = (mantissa + (mantissa & 1)) >> 1;
  if (mantissa >= 1 << 53) {
    mantissa = 1 << 52;
    exponent++;
  }
  if (exponent >= 0x7ff) return -1;
  return reinterpret<f64>(((<u64>exponent) << 52) | (mantissa & ((1 << 52) - 1)));
}

/** @returns the high half of a * b; the low one is left in productLow */
function wideProduct(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const lows = aLow * bLow;
  const middle = aHigh * bLow + (lows >> 32);
  const other = aLow * bHigh + (middle & 0xffffffff);
  productLow = (other << 32) | (lows & 0xffffffff);
  return aHigh * bHigh + (middle >> 32) + (other >> 32);
}
