import { mixBits } from "../vector-index/counter-noise";

/**
 * A digest of what both ends must have alike: four lanes of words, each multiplied and added to, mixed at the end. It tells
 * states apart that have come to differ, and is no protection against somebody who makes them look alike.
 */
const FACTOR: i32 = 0x01000193;

/** Go on with a digest over whole words of memory; 0 to begin. @param bytes  a multiple of 4 */
export function digestOf(digest: u32, at: usize, bytes: usize): u32 {
  const factor = i32x4.splat(FACTOR);
  let a = i32x4.splat(digest);
  let b = i32x4.splat(~digest);
  let i: usize = 0;
  for (; i + 32 <= bytes; i += 32) {
    a = i32x4.add(i32x4.mul(a, factor), v128.load(at + i));
    b = i32x4.add(i32x4.mul(b, factor), v128.load(at + i, 16));
  }
  const x = v128.xor(a, i32x4.mul(b, i32x4.splat(<i32>0x9e3779b1)));
  let sum: u32 = 0;
  sum = mixBits(sum ^ i32x4.extract_lane(x, 0));
  sum = mixBits(sum ^ i32x4.extract_lane(x, 1));
  sum = mixBits(sum ^ i32x4.extract_lane(x, 2));
  sum = mixBits(sum ^ i32x4.extract_lane(x, 3));
  for (; i < bytes; i += 4) sum = mixBits(sum ^ load<u32>(at + i));
  return sum;
}
