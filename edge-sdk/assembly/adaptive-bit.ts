import { DITHER } from "./layout";
import { RATE_Q16 } from "./tables";

/**
 * The adaptive bit: a 12-bit probability of "1" over a 4-bit age, in 16 bits.
 *
 *     15            4 3    0
 *     [ probability ][ age ]
 *
 * The probability moves towards what was seen by a rate near 1 / (bits seen + 1.6), down to 1/300. Growing older is as
 * likely as the rate is large, so that four bits of age last for some 300. Rounding is dithered, or small rates would
 * stop moving.
 */
const OLDEST: u32 = 15;
/** Probabilities stay off 0 and 1 by this much (of 4096), so that none costs more than 10.7 bits by itself. */
const MARGIN: i32 = 2;

/** The next draw of the dither shared by everything that rounds at random. Numerical Recipes' "quick and dirty" LCG. */
export function nextDither(dither: u32): u32 {
  return dither * 1664525 + 1013904223;
}

/** An adaptive bit of age 0 with this probability of 4096. */
export function freshBit(probability: u32): u16 {
  return <u16>(probability << 4);
}

/** Probability of "1" in Q16, never 0 or 1. */
export function probabilityQ16(at: usize): u32 {
  return ((<u32>(load<u16>(at) >> 4)) << 4) + 8;
}

/** Draw from the dither that everything shares. */
export function drawDither(st: usize): u32 {
  const dither = nextDither(load<u32>(st, DITHER));
  store<u32>(st, dither, DITHER);
  return dither;
}

/** Learn one bit with a draw of the dither. Range: |4095 x 40960| < 2^28. */
export function learnWith(at: usize, bit: bool, dither: u32): void {
  const packed = <u32>load<u16>(at);
  const age = packed & OLDEST;
  const probability = <i32>(packed >> 4);
  const rate = <i32>load<u16>((<usize>age) << 1, RATE_Q16);
  const moved = probability + ((((bit ? 4095 : 0) - probability) * rate + <i32>(dither >> 16)) >> 16);
  const next = min<i32>(max<i32>(moved, MARGIN), 4095 - MARGIN);
  const older = age + u32(<i32>((dither >> 4) & 0xffff) < rate);
  store<u16>(at, <u16>(((<u32>next) << 4) | (older - (older >> 4)))); // OLDEST does not grow older
}
