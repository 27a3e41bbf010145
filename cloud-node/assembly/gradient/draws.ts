import { counterBits } from "../vector-index/counter-noise";

/**
 * Draws of stochastic rounding: a function of a seed and a coordinate, so that a step can be made again. Four at a time give
 * the same bits as `counterBits` one by one.
 */
function mixFour(bits: v128): v128 {
  let x = v128.xor(bits, i32x4.shr_u(bits, 16));
  x = i32x4.mul(x, i32x4.splat(0x7feb352d));
  x = v128.xor(x, i32x4.shr_u(x, 15));
  x = i32x4.mul(x, i32x4.splat(<i32>0x846ca68b));
  return v128.xor(x, i32x4.shr_u(x, 16));
}

/** Of the coordinates `index` … `index` + 3. */
export function fourDraws(seed: u32, index: u32): v128 {
  const four = i32x4.add(i32x4.splat(index), i32x4(0, 1, 2, 3));
  return mixFour(v128.xor(mixFour(four), i32x4.splat(seed)));
}

export function oneDraw(seed: u32, index: u32): u32 {
  return counterBits(seed, index);
}

/** The seed of one worker's message. */
export function messageSeed(seed: u32, step: u32): u32 {
  return counterBits(seed, step);
}
