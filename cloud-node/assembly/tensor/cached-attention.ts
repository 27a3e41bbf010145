/** Attention of one new row over a cache, and rotary positions. */
import { dot } from "./attention-products";
import { addTimes } from "./elementwise";
import { exponentials } from "./functions";
import { storeLanes } from "./lanes";
import { rowSum } from "./row-sums";
import { strip } from "./work-area";

export function cachedAttention(
  out: usize,
  q: usize,
  k: usize,
  v: usize,
  keys: usize,
  values: usize,
  position: usize,
  scratch: usize,
  batch: i32,
  capacity: i32,
  heads: i32,
  kvHeads: i32,
  headDim: i32,
  scale: f32,
): void {
  const kvBytes = usize(kvHeads * headDim) << 2;
  const newest = i32.load(position);
  const headBytes = usize(headDim) << 2;
  const group = heads / kvHeads;
  for (let sequence = 0; sequence < batch; sequence++) {
    const start = usize(sequence * capacity) * kvBytes;
    memory.copy(keys + start + usize(newest) * kvBytes, k + usize(sequence) * kvBytes, kvBytes);
    memory.copy(values + start + usize(newest) * kvBytes, v + usize(sequence) * kvBytes, kvBytes);
    for (let head = 0; head < heads; head++) {
      const at = usize(sequence * heads + head) * headBytes;
      const column = start + usize(head / group) * headBytes;
      const perSum = f32(1) / weighKeys(q + at, keys + column, kvBytes, newest + 1, headDim, scale, scratch);
      memory.fill(out + at, 0, headBytes);
      for (let key = 0; key <= newest; key++) {
        const weight = f32x4.splat(f32.load(scratch + (usize(key) << 2)) * perSum);
        addTimes(out + at, values + column + usize(key) * kvBytes, headDim, weight);
      }
    }
  }
}

/** e^(score - largest) of every key to `scratch`. @returns their sum */
function weighKeys(q: usize, keys: usize, stride: usize, count: i32, headDim: i32, scale: f32, scratch: usize): f32 {
  let largest = dot(q, keys, headDim) * scale;
  for (let key = 0; key < count; key++) {
    const score = dot(q, keys + usize(key) * stride, headDim) * scale;
    f32.store(scratch + (usize(key) << 2), score);
    largest = max(largest, score);
  }
  const one = f32x4.splat(1);
  const shift = f32x4.splat(largest);
  const whole = count & ~7;
  exponentials(scratch, scratch, 32, whole >> 3, one, shift, shift);
  if (whole < count) {
    const at = scratch + (usize(whole) << 2);
    exponentials(strip(0), at, 32, 1, one, shift, shift);
    memory.copy(at, strip(0), usize(count - whole) << 2);
  }
  return rowSum(scratch, count);
}

export function rope(
  out: usize,
  x: usize,
  table: usize,
  positions: usize,
  rows: i32,
  T: i32,
  heads: i32,
  headDim: i32,
  outStride: i32,
  xStride: i32,
  sign: f32,
  add: i32,
): void {
  const half = headDim / 2;
  const halfBytes = usize(half) << 2;
  const signs = f32x4.splat(sign);
  for (let row = 0; row < rows; row++) {
    const position = positions == 0 ? row % T : i32.load(positions + (usize(row) << 2));
    const angles = table + usize(position) * halfBytes * 2;
    for (let head = 0; head < heads; head++) {
      const column = usize(head) * halfBytes * 2;
      const from = x + ((usize(row) * usize(xStride)) << 2) + column;
      const to = out + ((usize(row) * usize(outStride)) << 2) + column;
      for (let i = 0; i < half; i += 4) {
        const offset = usize(i) << 2;
        const cosine = v128.load(angles + offset);
        const sine = f32x4.mul(v128.load(angles + halfBytes + offset), signs);
        const a = v128.load(from + offset);
        const b = v128.load(from + halfBytes + offset);
        let first = f32x4.sub(f32x4.mul(a, cosine), f32x4.mul(b, sine));
        let second = f32x4.add(f32x4.mul(a, sine), f32x4.mul(b, cosine));
        if (add) {
          first = f32x4.add(v128.load(to + offset), first);
          second = f32x4.add(v128.load(to + halfBytes + offset), second);
        }
        storeLanes(to + offset, first, half - i);
        storeLanes(to + halfBytes + offset, second, half - i);
      }
    }
  }
}
