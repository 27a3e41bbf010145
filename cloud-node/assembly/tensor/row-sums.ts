/** Sums over a row of numbers. */
import { firstLanes, madd, sumLanes } from "./lanes";

/** Numbers that sums of a row take at a time, a vector to each of four chains: a single chain would wait for itself. */
const CHAINED: i32 = 16;

/** Σ x. */
export function rowSum(x: usize, width: i32): f32 {
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  let sum2 = f32x4.splat(0);
  let sum3 = f32x4.splat(0);
  const chained = usize(width & -CHAINED) << 2;
  const whole = usize(width & ~3) << 2;
  for (let at: usize = 0; at < chained; at += 64) {
    sum0 = f32x4.add(sum0, v128.load(x + at));
    sum1 = f32x4.add(sum1, v128.load(x + at, 16));
    sum2 = f32x4.add(sum2, v128.load(x + at, 32));
    sum3 = f32x4.add(sum3, v128.load(x + at, 48));
  }
  for (let at = chained; at < whole; at += 16) sum0 = f32x4.add(sum0, v128.load(x + at));
  if (width & 3) sum1 = f32x4.add(sum1, firstLanes(v128.load(x + whole), width & 3));
  return sumLanes(f32x4.add(f32x4.add(sum0, sum1), f32x4.add(sum2, sum3)));
}

/** Sum of (x - mean)². */
export function rowSquares(x: usize, means: v128, width: i32): f32 {
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  let sum2 = f32x4.splat(0);
  let sum3 = f32x4.splat(0);
  const chained = usize(width & -CHAINED) << 2;
  const whole = usize(width & ~3) << 2;
  for (let at: usize = 0; at < chained; at += 64) {
    const x0 = f32x4.sub(v128.load(x + at), means);
    const x1 = f32x4.sub(v128.load(x + at, 16), means);
    const x2 = f32x4.sub(v128.load(x + at, 32), means);
    const x3 = f32x4.sub(v128.load(x + at, 48), means);
    sum0 = madd(x0, x0, sum0);
    sum1 = madd(x1, x1, sum1);
    sum2 = madd(x2, x2, sum2);
    sum3 = madd(x3, x3, sum3);
  }
  for (let at = chained; at < whole; at += 16) {
    const value = f32x4.sub(v128.load(x + at), means);
    sum0 = madd(value, value, sum0);
  }
  if (width & 3) {
    const value = firstLanes(f32x4.sub(v128.load(x + whole), means), width & 3);
    sum1 = madd(value, value, sum1);
  }
  return sumLanes(f32x4.add(f32x4.add(sum0, sum1), f32x4.add(sum2, sum3)));
}
