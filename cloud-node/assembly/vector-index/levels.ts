/**
 * What the coder's levels are. A code of b bits, 1 to 5, in a dimension is one of 2^(b+1) levels: the b - 1 high bits of
 * its number are stored, the two low ones, its subset, follow from the trellis (trellis.ts). 8 bits are 256 uniform
 * levels without a trellis. A level is an integer of 8 bits in units of LEVEL_UNITS[b] standard deviations.
 *
 * The levels are the centroids that generalised Lloyd iterations over this trellis reached on Gaussian samples, made
 * symmetric and rounded to the unit; another choice would only cost accuracy.
 *
 * @see Marcellin and Fischer 1990, "Trellis coded quantization of memoryless and Gauss-Markov sources", section III
 */

/** Deepest code with a trellis. */
export const MAX_CODED_BITS: i32 = 5;
/** Bits of a dimension without a trellis: the level is the code. */
export const PLAIN_BITS: i32 = 8;

// biome-ignore format: one row of numbers for each depth, the fourth and fifth in rows of 16
const LEVELS: usize = memory.data<i8>([
  -127, -38, 38, 127, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  -127, -73, -41, -13, 13, 41, 73, 127, 0, 0, 0, 0, 0, 0, 0, 0,
  -127, -92, -69, -53, -39, -27, -16, -6, 6, 16, 27, 39, 53, 69, 92, 127,
  -127, -103, -87, -75, -66, -57, -50, -44, -38, -32, -27, -22, -17, -12, -7, -3,
  3, 7, 12, 17, 22, 27, 32, 38, 44, 50, 57, 66, 75, 87, 103, 127,
  -127, -109, -98, -89, -81, -75, -70, -65, -61, -57, -53, -50, -47, -44, -41, -38,
  -35, -33, -30, -28, -25, -23, -21, -19, -16, -14, -12, -10, -7, -5, -3, -1,
  1, 3, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 33, 35,
  38, 41, 44, 47, 50, 53, 57, 61, 65, 70, 75, 81, 89, 98, 109, 127,
], 16);

/** By bits; 6 and 7 are not used. The last: 256 levels that reach to 4.1 standard deviations. */
const LEVEL_UNITS: usize = memory.data<f32>([
  0, 0.00938031, 0.01461969, 0.01960787, 0.02448189, 0.02872283, 0, 0, 0.0325,
]);

/** The levels of `bits`, 1 to MAX_CODED_BITS, from the most negative on. */
export function levelTable(bits: i32): usize {
  const first = bits < 5 ? bits - 1 : 5;
  return LEVELS + ((<usize>first) << 4);
}

export function levelUnit(bits: i32): f32 {
  return load<f32>(LEVEL_UNITS + ((<usize>bits) << 2));
}

/** The levels of 16 numbers of levels, in 8-bit lanes. A lane that a table of 16 does not hold looks up 0 in it. */
export function levelsOf(numbers: v128, bits: i32): v128 {
  const table = levelTable(bits);
  let levels = i8x16.swizzle(v128.load(table), numbers);
  if (bits > 3) {
    const tables = bits === 4 ? 2 : 4;
    for (let i = 1; i < tables; i++) {
      numbers = i8x16.sub(numbers, i8x16.splat(16));
      levels = v128.or(levels, i8x16.swizzle(v128.load(table + (i << 4)), numbers));
    }
  }
  return levels;
}
