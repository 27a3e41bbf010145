/** z = P (x - mean): rows of d numbers to rotated space. P is (D, D), row-major; D is a multiple of 16. */
import { paddedD } from "./model-shape";

/** Rows that share one pass over P. */
const ROWS: i32 = 4;

/** Bytes that `rotate` needs for itself, D as set. */
export function rotationScratchBytes(): i32 {
  return ROWS * paddedD * 4;
}

/**
 * Every number of a rotated row is added up in the same order, however many rows there are.
 *
 * @param rows     (count, d) f32
 * @param mean     (d) f32, or 0 for none
 * @param rotated  (count, D) f32, overwritten
 * @param scratch  rotationScratchBytes(), 16-byte aligned
 */
export function rotate(
  rows: usize,
  count: i32,
  d: i32,
  mean: usize,
  rotation: usize,
  rotated: usize,
  scratch: usize,
): void {
  const stride = paddedD << 2;
  for (let row = 0; row < count; row += ROWS) {
    const some = min(ROWS, count - row);
    for (let i = 0; i < some; i++) center(rows + (((row + i) * d) << 2), d, mean, scratch + i * stride);
    const out = rotated + row * stride;
    if (some === ROWS) multiplyFour(scratch, rotation, stride, out);
    else for (let i = 0; i < some; i++) multiplyOne(scratch + i * stride, rotation, stride, out + i * stride);
  }
}

function center(row: usize, d: i32, mean: usize, out: usize): void {
  memory.fill(out, 0, paddedD << 2);
  if (mean === 0) {
    memory.copy(out, row, d << 2);
    return;
  }
  for (let i = 0; i < d << 2; i += 4) store<f32>(out + i, load<f32>(row + i) - load<f32>(mean + i));
}

function multiplyOne(x: usize, rotation: usize, stride: i32, out: usize): void {
  for (let i = 0; i < stride; i += 4) {
    let sum = f32x4.splat(0);
    for (let j = 0; j < stride; j += 16) {
      sum = f32x4.add(sum, f32x4.mul(v128.load(rotation + j), v128.load(x + j)));
    }
    store<f32>(out + i, total(sum));
    rotation += stride;
  }
}

function multiplyFour(x: usize, rotation: usize, stride: i32, out: usize): void {
  const x1 = x + stride;
  const x2 = x1 + stride;
  const x3 = x2 + stride;
  for (let i = 0; i < stride; i += 4) {
    let sum0 = f32x4.splat(0);
    let sum1 = f32x4.splat(0);
    let sum2 = f32x4.splat(0);
    let sum3 = f32x4.splat(0);
    for (let j = 0; j < stride; j += 16) {
      const p = v128.load(rotation + j);
      sum0 = f32x4.add(sum0, f32x4.mul(p, v128.load(x + j)));
      sum1 = f32x4.add(sum1, f32x4.mul(p, v128.load(x1 + j)));
      sum2 = f32x4.add(sum2, f32x4.mul(p, v128.load(x2 + j)));
      sum3 = f32x4.add(sum3, f32x4.mul(p, v128.load(x3 + j)));
    }
    store<f32>(out + i, total(sum0));
    store<f32>(out + stride + i, total(sum1));
    store<f32>(out + 2 * stride + i, total(sum2));
    store<f32>(out + 3 * stride + i, total(sum3));
    rotation += stride;
  }
}

/** The sum of four lanes, always in this order. */
export function total(sum: v128): f32 {
  const halves = f32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 0, 1));
  return f32x4.extract_lane(halves, 0) + f32x4.extract_lane(halves, 1);
}

/**
 * The way back: x = P^T z + mean, P orthogonal.
 *
 * @param z    (D) f32
 * @param out  (D) f32, overwritten; its first d numbers are x
 */
export function rotateBack(z: usize, d: i32, mean: usize, rotation: usize, out: usize): void {
  const stride = paddedD << 2;
  memory.fill(out, 0, stride);
  memory.copy(out, mean, d << 2);
  for (let i = 0; i < stride; i += 4) {
    const weight = f32x4.splat(load<f32>(z + i));
    for (let j = 0; j < stride; j += 16) {
      v128.store(out + j, f32x4.add(v128.load(out + j), f32x4.mul(weight, v128.load(rotation + j))));
    }
    rotation += stride;
  }
}
