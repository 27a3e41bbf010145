/**
 * Integer arithmetic with named rounding. What firmware divides in 64 bits while it encodes or decodes is divided here, by
 * 32-bit divisions; only the planner of lines, which hosts and gateways run, divides in 64 bits. Other files divide int32 and
 * uint32 by themselves. "Floor" is the mathematical floor, for negative values too.
 */

/** Clamp to int32. Range: any. */
export function saturate(value: i64): i32 {
  const low = <i32>value;
  return value == <i64>low ? low : <i32>(value >> 63) ^ i32.MAX_VALUE;
}

/** Clamp to [-limit, limit]. */
export function clampTo(value: i32, limit: i32): i32 {
  return min<i32>(max<i32>(value, -limit), limit);
}

/** value / 2^bits rounded to nearest, ties up. Range: |value| < 2^62, 1 <= bits <= 62. */
export function roundShift(value: i64, bits: i64): i64 {
  return (value + ((<i64>1) << (bits - 1))) >> bits;
}

/** Sign of a value as states keep it: 0 none, 1 negative, 2 positive. */
export function signOf(value: i64): u32 {
  return u32(value < 0) | (u32(value > 0) << 1);
}

/**
 * floor(a / b), exactly, by 32-bit divisions alone: small cores have no other, and the library routine that stands in for
 * a 64-bit one is large and takes a time that depends on its operands. Range: a < 2^63, 0 < b < 2^63.
 *
 * Each round takes an estimate of the quotient away. With n and m the leading zeros of b and a,
 *
 *     D = floor(b 2^n / 2^48) + 1 > b 2^n / 2^48      2^15 < D <= 2^16
 *     A = floor(a 2^m / 2^32) <= a 2^m / 2^32         2^31 <= A < 2^32
 *     t = floor(A / D)                                2^15 <= t < 2^17
 *
 * t D <= A gives t b 2^(n - m - 16) < a: the estimate t 2^(n - m - 16), rounded down, is never too large, and where it
 * rounds to 0, a >= b allows for 1. It is too small by less than one part in 2^13, and by 1 where it was rounded, so that
 * a falls to 1/2^13 in each round until the quotient is below 9, and is done two rounds later: after 7 rounds at most.
 */
export function divide(a: u64, b: u64): u64 {
  const n = <i32>clz<u64>(b);
  const divisor = <u32>((b << n) >> 48) + 1;
  let quotient: u64 = 0;
  while (a >= b) {
    const m = <i32>clz<u64>(a);
    const digits = <u64>(<u32>((a << m) >> 32) / divisor);
    const shift = n - m - 16;
    const part = shift < 0 ? max<u64>(digits >> -shift, 1) : digits << shift;
    quotient += part;
    a -= part * b;
  }
  return quotient;
}

/** floor(a / b). Range: b > 0, |a| < 2^63. */
export function floorDivide(a: i64, b: i64): i64 {
  const sign = a >> 63;
  return <i64>divide(<u64>(a ^ sign), <u64>b) ^ sign; // floor(a / b) = -1 - floor((-1 - a) / b)
}

/**
 * ceil(a / b) by a 64-bit division, which is the fastest where there is one: for the planner of lines. Range: b > 0,
 * |a| < 2^62.
 */
export function ceilDivide(a: i64, b: i64): i64 {
  const q = a / b;
  return q * b < a ? q + 1 : q;
}

/** floor(a / b) of an unsigned value by a small divisor, in two 32-bit divisions. Range: a < 2^46, 0 < b <= 2^16. */
function divideSmall(a: u64, b: u32): u64 {
  const high = <u32>(a >> 16);
  const quotient = high / b;
  const rest = ((high % b) << 16) | (<u32>a & 0xffff);
  return ((<u64>quotient) << 16) + <u64>(rest / b);
}

/** a / b rounded towards zero. Range: |a| < 2^46, 0 < b <= 2^16. */
export function truncateDivideSmall(a: i64, b: u32): i64 {
  const magnitude = divideSmall(<u64>(a < 0 ? -a : a), b);
  return a < 0 ? -(<i64>magnitude) : <i64>magnitude;
}

/** a / b in Q12 by one 32-bit division of operands cut to 20 bits. Range: 0 < a <= b; the result is 0..4096. */
export function ratioQ12(a: u32, b: u32): u32 {
  const cut = max<i32>(12 - <i32>clz<u32>(b), 0);
  return ((a >> cut) << 12) / (b >> cut);
}

/** 4 log2(value), from the leading bit and the two below it (log2 by linear interpolation, floored); 0 for 0 and 1. */
export function log2Quarters(value: u32): i32 {
  const whole = 31 - <i32>clz<u32>(value | 1);
  const fraction = whole >= 2 ? (value >> (whole - 2)) & 3 : (value << (2 - whole)) & 3;
  return whole * 4 + <i32>fraction;
}
