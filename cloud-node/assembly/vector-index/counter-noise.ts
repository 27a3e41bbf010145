/**
 * Noise that is a function of a seed and an index, so that it is the same in whatever order, and wherever, it is made.
 */

/** A bijection of 32 bits in which every bit of the input changes half of the output. */
export function mixBits(x: u32): u32 {
  x ^= x >> 16;
  x *= 0x7feb352d;
  x ^= x >> 15;
  x *= 0x846ca68b;
  return x ^ (x >> 16);
}

/** 32 bits that look drawn at random, the same for the same seed and index. */
export function counterBits(seed: u32, index: u32): u32 {
  return mixBits(mixBits(index) ^ seed);
}

/**
 * A bell-shaped integer of about the amplitude asked for.
 *
 * The sum of four bytes less its mean, −510 … 510, is close to normal, with a standard deviation of 147.8.
 *
 * @param amplitude  0 ≤ a < 2^22: standard deviation times 2^16 / 147.8
 * @see https://github.com/skeeto/hash-prospector for the constants, found by search for small bias
 */
export function noiseAt(seed: u32, index: u32, amplitude: i32): i32 {
  const bits: u32 = counterBits(seed, index);
  const bell: i32 = <i32>((bits & 255) + ((bits >> 8) & 255) + ((bits >> 16) & 255) + (bits >> 24)) - 510;
  return (bell * amplitude + 0x8000) >> 16;
}
