/** Norms of rows, and their gradients: RMS norm is layer norm around 0. */
import { innerSums, rowGradient, scaleRow } from "./norm-row";
import { rowSquares, rowSum } from "./row-sums";

export function layerNorm(
  out: usize,
  x: usize,
  gain: usize,
  bias: usize,
  stats: usize,
  rows: i32,
  width: i32,
  eps: f32,
): void {
  normalize(out, x, gain, bias, stats, rows, width, eps, true);
}

export function rmsNorm(out: usize, x: usize, gain: usize, stats: usize, rows: i32, width: i32, eps: f32): void {
  normalize(out, x, gain, 0, stats, rows, width, eps, false);
}

export function layerNormGradient(
  xGrad: usize,
  gainGrad: usize,
  biasGrad: usize,
  grad: usize,
  x: usize,
  gain: usize,
  stats: usize,
  rows: i32,
  width: i32,
  addX: i32,
  addGain: i32,
  addBias: i32,
): void {
  if (biasGrad != 0 && addBias == 0) memory.fill(biasGrad, 0, usize(width) << 2);
  normGradient(xGrad, gainGrad, biasGrad, grad, x, gain, stats, rows, width, addX, addGain, true);
}

export function rmsNormGradient(
  xGrad: usize,
  gainGrad: usize,
  grad: usize,
  x: usize,
  gain: usize,
  stats: usize,
  rows: i32,
  width: i32,
  addX: i32,
  addGain: i32,
): void {
  normGradient(xGrad, gainGrad, 0, grad, x, gain, stats, rows, width, addX, addGain, false);
}

function normalize(
  out: usize,
  x: usize,
  gain: usize,
  bias: usize,
  stats: usize,
  rows: i32,
  width: i32,
  eps: f32,
  isCentred: bool,
): void {
  const rowBytes = usize(width) << 2;
  const perWidth: f32 = f32(1) / f32(width);
  for (let row = 0; row < rows; row++) {
    let mean: f32 = 0;
    if (isCentred) {
      mean = rowSum(x, width) * perWidth;
      f32.store(stats, mean);
      stats += 4;
    }
    const means = f32x4.splat(mean);
    const perDeviation = f32(1) / sqrt<f32>(rowSquares(x, means, width) * perWidth + eps);
    f32.store(stats, perDeviation);
    stats += 4;
    scaleRow(out, x, means, f32x4.splat(perDeviation), gain, bias, width);
    x += rowBytes;
    out += rowBytes;
  }
}

function normGradient(
  xGrad: usize,
  gainGrad: usize,
  biasGrad: usize,
  grad: usize,
  x: usize,
  gain: usize,
  stats: usize,
  rows: i32,
  width: i32,
  addX: i32,
  addGain: i32,
  isCentred: bool,
): void {
  if (gainGrad != 0 && addGain == 0) memory.fill(gainGrad, 0, usize(width) << 2);
  const rowBytes = usize(width) << 2;
  const perWidth: f32 = f32(1) / f32(width);
  for (let row = 0; row < rows; row++) {
    let means = f32x4.splat(0);
    if (isCentred) {
      means = v128.load32_splat(stats);
      stats += 4;
    }
    const factors = v128.load32_splat(stats);
    stats += 4;
    const sums = innerSums(gainGrad, biasGrad, grad, x, means, factors, gain, width);
    if (xGrad != 0) {
      const meanInner = f32x4.splat(isCentred ? f32x4.extract_lane(sums, 0) * perWidth : 0);
      const meanProduct = f32x4.splat(f32x4.extract_lane(sums, 1) * perWidth);
      rowGradient(xGrad, grad, x, means, factors, gain, meanInner, meanProduct, width, addX);
      xGrad += rowBytes;
    }
    x += rowBytes;
    grad += rowBytes;
  }
}
