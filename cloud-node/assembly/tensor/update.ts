/** Updates of parameters from their gradients. */
import { madd, storeLanes } from "./lanes";

export function sumOfSquares(x: usize, count: i32): f64 {
  // Four chains: one alone would wait for itself.
  let sum0 = f64x2.splat(0);
  let sum1 = f64x2.splat(0);
  let sum2 = f64x2.splat(0);
  let sum3 = f64x2.splat(0);
  const whole = count & ~7;
  for (let i = 0; i < whole; i += 8) {
    const at = x + (usize(i) << 2);
    const low = v128.load(at);
    const high = v128.load(at, 16);
    const x0 = f64x2.promote_low_f32x4(low);
    const x1 = f64x2.promote_low_f32x4(i64x2.shuffle(low, low, 1, 1));
    const x2 = f64x2.promote_low_f32x4(high);
    const x3 = f64x2.promote_low_f32x4(i64x2.shuffle(high, high, 1, 1));
    sum0 = f64x2.add(sum0, f64x2.mul(x0, x0));
    sum1 = f64x2.add(sum1, f64x2.mul(x1, x1));
    sum2 = f64x2.add(sum2, f64x2.mul(x2, x2));
    sum3 = f64x2.add(sum3, f64x2.mul(x3, x3));
  }
  const all = f64x2.add(f64x2.add(sum0, sum1), f64x2.add(sum2, sum3));
  let sum = f64x2.extract_lane(all, 0) + f64x2.extract_lane(all, 1);
  for (let i = whole; i < count; i++) {
    const value = f64(f32.load(x + (usize(i) << 2)));
    sum += value * value;
  }
  return sum;
}

export function adamw(
  value: usize,
  grad: usize,
  average: usize,
  squareAverage: usize,
  count: i32,
  gradScale: f32,
  beta1: f64,
  beta2: f64,
  rate: f32,
  squareFactor: f32,
  eps: f32,
  decay: f64,
): void {
  // 1 - beta is taken in double precision: of a 32-bit beta near 1 it would lose digits.
  const keep1 = f32x4.splat(f32(beta1));
  const take1 = f32x4.splat(f32(1 - beta1));
  const keep2 = f32x4.splat(f32(beta2));
  const take2 = f32x4.splat(f32(1 - beta2));
  const kept = f32x4.splat(f32(1 - decay));
  const scales = f32x4.splat(gradScale);
  const rates = f32x4.splat(-rate);
  const factors = f32x4.splat(squareFactor);
  const floor = f32x4.splat(eps);
  const pairs = usize(count & ~7) << 2;
  for (let at: usize = 0; at < pairs; at += 32) {
    const gLow = f32x4.mul(v128.load(grad + at), scales);
    const gHigh = f32x4.mul(v128.load(grad + at, 16), scales);
    const meanLow = madd(gLow, take1, f32x4.mul(v128.load(average + at), keep1));
    const meanHigh = madd(gHigh, take1, f32x4.mul(v128.load(average + at, 16), keep1));
    v128.store(average + at, meanHigh, 16);
    v128.store(average + at, meanLow);
    const squareLow = madd(f32x4.mul(gLow, gLow), take2, f32x4.mul(v128.load(squareAverage + at), keep2));
    const squareHigh = madd(f32x4.mul(gHigh, gHigh), take2, f32x4.mul(v128.load(squareAverage + at, 16), keep2));
    v128.store(squareAverage + at, squareHigh, 16);
    v128.store(squareAverage + at, squareLow);
    const rootLow = f32x4.add(f32x4.sqrt(f32x4.mul(squareLow, factors)), floor);
    const rootHigh = f32x4.add(f32x4.sqrt(f32x4.mul(squareHigh, factors)), floor);
    const stepLow = f32x4.div(f32x4.mul(meanLow, rates), rootLow);
    const stepHigh = f32x4.div(f32x4.mul(meanHigh, rates), rootHigh);
    const valueLow = madd(v128.load(value + at), kept, stepLow);
    const valueHigh = madd(v128.load(value + at, 16), kept, stepHigh);
    v128.store(value + at, valueHigh, 16);
    v128.store(value + at, valueLow);
  }
  for (let i = count & ~7; i < count; i += 4) {
    const offset = usize(i) << 2;
    const g = f32x4.mul(v128.load(grad + offset), scales);
    const mean = madd(g, take1, f32x4.mul(v128.load(average + offset), keep1));
    const square = madd(f32x4.mul(g, g), take2, f32x4.mul(v128.load(squareAverage + offset), keep2));
    storeLanes(average + offset, mean, count - i);
    storeLanes(squareAverage + offset, square, count - i);
    const root = f32x4.add(f32x4.sqrt(f32x4.mul(square, factors)), floor);
    const step = f32x4.div(f32x4.mul(mean, rates), root);
    storeLanes(value + offset, madd(v128.load(value + offset), kept, step), count - i);
  }
}

export function nesterov(out: usize, grad: usize, average: usize, count: i32, gradScale: f32, momentum: f64): void {
  const keep = f32x4.splat(f32(momentum));
  const take = f32x4.splat(f32(1 - momentum));
  const scales = f32x4.splat(gradScale);
  for (let i = 0; i < count; i += 4) {
    const offset = usize(i) << 2;
    const g = f32x4.mul(v128.load(grad + offset), scales);
    const mean = madd(g, take, f32x4.mul(v128.load(average + offset), keep));
    storeLanes(average + offset, mean, count - i);
    storeLanes(out + offset, madd(f32x4.sub(mean, g), keep, g), count - i);
  }
}
