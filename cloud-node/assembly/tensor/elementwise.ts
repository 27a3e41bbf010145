/** Arithmetic number by number. */
import { madd, storeLanes } from "./lanes";

export function fill(out: usize, rows: i32, width: i32, stride: i32, number: f32): void {
  const value = f32x4.splat(number);
  for (let row = 0; row < rows; row++) {
    const at = out + ((usize(row) * usize(stride)) << 2);
    for (let i = 0; i < width; i += 4) storeLanes(at + (usize(i) << 2), value, width - i);
  }
}

export function copy(out: usize, x: usize, count: i32, add: i32): void {
  if (add == 0) {
    memory.copy(out, x, usize(count) << 2);
    return;
  }
  for (let i = 0; i < count; i += 4) {
    const offset = usize(i) << 2;
    storeLanes(out + offset, f32x4.add(v128.load(out + offset), v128.load(x + offset)), count - i);
  }
}

export function scale(out: usize, x: usize, count: i32, factor: f32, add: i32): void {
  const factors = f32x4.splat(factor);
  for (let i = 0; i < count; i += 4) {
    const offset = usize(i) << 2;
    let value = f32x4.mul(v128.load(x + offset), factors);
    if (add) value = f32x4.add(v128.load(out + offset), value);
    storeLanes(out + offset, value, count - i);
  }
}

export function add(out: usize, a: usize, b: usize, count: i32, period: i32): void {
  for (let start = 0; start < count; start += period) {
    const from = usize(start) << 2;
    for (let i = 0; i < period; i += 4) {
      const offset = usize(i) << 2;
      const sum = f32x4.add(v128.load(a + from + offset), v128.load(b + offset));
      storeLanes(out + from + offset, sum, period - i);
    }
  }
}

export function multiply(out: usize, a: usize, b: usize, count: i32, add: i32): void {
  const pairs = usize(count & ~7) << 2;
  for (let at: usize = 0; at < pairs; at += 32) {
    let low = f32x4.mul(v128.load(a + at), v128.load(b + at));
    let high = f32x4.mul(v128.load(a + at, 16), v128.load(b + at, 16));
    if (add) {
      low = f32x4.add(v128.load(out + at), low);
      high = f32x4.add(v128.load(out + at, 16), high);
    }
    v128.store(out + at, high, 16);
    v128.store(out + at, low);
  }
  for (let i = count & ~7; i < count; i += 4) {
    const offset = usize(i) << 2;
    let value = f32x4.mul(v128.load(a + offset), v128.load(b + offset));
    if (add) value = f32x4.add(v128.load(out + offset), value);
    storeLanes(out + offset, value, count - i);
  }
}

/** Eight columns at a time, rows in order. */
export function columnSums(out: usize, x: usize, rows: i32, columns: i32, add: i32): void {
  const stride = usize(columns) << 2;
  for (let column = 0; column < columns; column += 8) {
    const offset = usize(column) << 2;
    let at = x + offset;
    let low = add ? v128.load(out + offset) : f32x4.splat(0);
    let high = add ? v128.load(out + offset, 16) : f32x4.splat(0);
    for (let row = 0; row < rows; row++) {
      low = f32x4.add(low, v128.load(at));
      high = f32x4.add(high, v128.load(at, 16));
      at += stride;
    }
    storeLanes(out + offset, low, columns - column);
    if (columns - column > 4) storeLanes(out + offset + 16, high, columns - column - 4);
  }
}

export function embedding(out: usize, table: usize, ids: usize, rows: i32, width: i32): void {
  const bytes = usize(width) << 2;
  for (let row = 0; row < rows; row++) {
    const id = i32.load(ids + (usize(row) << 2));
    memory.copy(out + usize(row) * bytes, table + usize(id) * bytes, bytes);
  }
}

export function embeddingGradient(tableGrad: usize, grad: usize, ids: usize, rows: i32, width: i32): void {
  const bytes = usize(width) << 2;
  for (let row = 0; row < rows; row++) {
    const id = i32.load(ids + (usize(row) << 2));
    copy(tableGrad + usize(id) * bytes, grad + usize(row) * bytes, width, 1);
  }
}

/** out[i] += factor · x[i]. */
export function addTimes(out: usize, x: usize, count: i32, factor: v128): void {
  for (let i = 0; i < count; i += 4) {
    const offset = usize(i) << 2;
    storeLanes(out + offset, madd(factor, v128.load(x + offset), v128.load(out + offset)), count - i);
  }
}
