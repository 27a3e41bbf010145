/** Cross-entropy of rows of logits. */
import { scale } from "./elementwise";
import { exponentials, logarithm } from "./functions";
import { maxLane } from "./lanes";
import { rowSum } from "./row-sums";
import { STRIP, strip } from "./work-area";

export function crossEntropy(
  loss: usize,
  logits: usize,
  targets: usize,
  logSums: usize,
  denominator: usize,
  rows: i32,
  columns: i32,
): void {
  const rowBytes = usize(columns) << 2;
  let total: f64 = 0;
  for (let row = 0; row < rows; row++) {
    const largest = rowLargest(logits, columns);
    let sum: f32 = 0;
    for (let start = 0; start < columns; start += STRIP) {
      const length = min(STRIP, columns - start);
      powers(logits + (usize(start) << 2), length, f32x4.splat(largest));
      sum += rowSum(strip(0), length);
    }
    const logSum = largest + f32x4.extract_lane(logarithm(f32x4.splat(sum)), 0);
    f32.store(logSums, logSum);
    const target = i32.load(targets);
    if (target >= 0) total += f64(logSum) - f64(f32.load(logits + (usize(target) << 2)));
    logits += rowBytes;
    targets += 4;
    logSums += 4;
  }
  f32.store(loss, f32(total / f64(f32.load(denominator))));
}

export function crossEntropyGradient(
  logitsGrad: usize,
  lossGrad: usize,
  logits: usize,
  targets: usize,
  logSums: usize,
  denominator: usize,
  rows: i32,
  columns: i32,
  add: i32,
): void {
  const factor = f32.load(lossGrad) / f32.load(denominator);
  const rowBytes = usize(columns) << 2;
  for (let row = 0; row < rows; row++) {
    const target = i32.load(targets + (usize(row) << 2));
    const isCounted = target >= 0;
    if (isCounted || add == 0) {
      const logSum = f32x4.splat(f32.load(logSums + (usize(row) << 2)));
      for (let start = 0; start < columns; start += STRIP) {
        const length = min(STRIP, columns - start);
        powers(logits + (usize(start) << 2), length, logSum);
        scale(logitsGrad + (usize(start) << 2), strip(0), length, isCounted ? factor : 0, add);
      }
      if (isCounted) {
        const at = logitsGrad + (usize(target) << 2);
        f32.store(at, f32.load(at) - factor);
      }
    }
    logits += rowBytes;
    logitsGrad += rowBytes;
  }
}

/** The first strip gets e^(x - shift) of some numbers. */
function powers(x: usize, count: i32, shift: v128): void {
  exponentials(strip(0), x, 32, (count + 7) >> 3, f32x4.splat(1), shift, shift);
}

function rowLargest(x: usize, width: i32): f32 {
  const whole = width & ~3;
  let largest = f32x4.splat(f32.load(x));
  for (let i = 0; i < whole; i += 4) largest = f32x4.pmax(largest, v128.load(x + (usize(i) << 2)));
  let most = maxLane(largest);
  for (let i = whole; i < width; i++) most = max(most, f32.load(x + (usize(i) << 2)));
  return most;
}
