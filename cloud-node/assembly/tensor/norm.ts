/** Norms of rows, and their gradients. */
import { firstLanes, madd, storeLanes, sumLanes } from "./lanes";

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
  const rowBytes = usize(width) << 2;
  const perWidth: f32 = f32(1) / f32(width);
  for (let row = 0; row < rows; row++) {
    const mean = rowSum(x, width) * perWidth;
    const means = f32x4.splat(mean);
    const perDeviation = f32(1) / sqrt<f32>(rowSquares(x, means, width) * perWidth + eps);
    f32.store(stats, mean);
    f32.store(stats, perDeviation, 4);
    const factors = f32x4.splat(perDeviation);
    for (let i = 0; i < width; i += 4) {
      const offset = usize(i) << 2;
      let value = f32x4.mul(f32x4.sub(v128.load(x + offset), means), factors);
      if (gain != 0) value = f32x4.mul(value, v128.load(gain + offset));
      if (bias != 0) value = f32x4.add(value, v128.load(bias + offset));
      storeLanes(out + offset, value, width - i);
    }
    x += rowBytes;
    out += rowBytes;
    stats += 8;
  }
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
  if (gainGrad != 0 && addGain == 0) memory.fill(gainGrad, 0, usize(width) << 2);
  if (biasGrad != 0 && addBias == 0) memory.fill(biasGrad, 0, usize(width) << 2);
  const rowBytes = usize(width) << 2;
  const perWidth: f32 = f32(1) / f32(width);
  for (let row = 0; row < rows; row++) {
    const means = f32x4.splat(f32.load(stats));
    const perDeviation = f32x4.splat(f32.load(stats, 4));
    let sums = f32x4.splat(0);
    let products = f32x4.splat(0);
    for (let i = 0; i < width; i += 4) {
      const offset = usize(i) << 2;
      const normal = f32x4.mul(f32x4.sub(v128.load(x + offset), means), perDeviation);
      const from = v128.load(grad + offset);
      if (gainGrad != 0) addLanes(gainGrad + offset, f32x4.mul(from, normal), width - i);
      if (biasGrad != 0) addLanes(biasGrad + offset, from, width - i);
      let inner = gain == 0 ? from : f32x4.mul(from, v128.load(gain + offset));
      if (width - i < 4) inner = firstLanes(inner, width - i);
      sums = f32x4.add(sums, inner);
      products = f32x4.add(
        products,
        width - i < 4 ? firstLanes(f32x4.mul(inner, normal), width - i) : f32x4.mul(inner, normal),
      );
    }
    if (xGrad != 0) {
      const meanInner = f32x4.splat(sumLanes(sums) * perWidth);
      const meanProduct = f32x4.splat(sumLanes(products) * perWidth);
      for (let i = 0; i < width; i += 4) {
        const offset = usize(i) << 2;
        const normal = f32x4.mul(f32x4.sub(v128.load(x + offset), means), perDeviation);
        let inner = v128.load(grad + offset);
        if (gain != 0) inner = f32x4.mul(inner, v128.load(gain + offset));
        const rest = f32x4.sub(f32x4.sub(inner, meanInner), f32x4.mul(normal, meanProduct));
        let value = f32x4.mul(rest, perDeviation);
        if (addX) value = f32x4.add(v128.load(xGrad + offset), value);
        storeLanes(xGrad + offset, value, width - i);
      }
      xGrad += rowBytes;
    }
    x += rowBytes;
    grad += rowBytes;
    stats += 8;
  }
}

export function rmsNorm(out: usize, x: usize, gain: usize, stats: usize, rows: i32, width: i32, eps: f32): void {
  const rowBytes = usize(width) << 2;
  const zero = f32x4.splat(0);
  for (let row = 0; row < rows; row++) {
    const perRoot = f32(1) / sqrt<f32>(rowSquares(x, zero, width) / f32(width) + eps);
    f32.store(stats, perRoot);
    const factors = f32x4.splat(perRoot);
    for (let i = 0; i < width; i += 4) {
      const offset = usize(i) << 2;
      let value = f32x4.mul(v128.load(x + offset), factors);
      if (gain != 0) value = f32x4.mul(value, v128.load(gain + offset));
      storeLanes(out + offset, value, width - i);
    }
    x += rowBytes;
    out += rowBytes;
    stats += 4;
  }
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
  if (gainGrad != 0 && addGain == 0) memory.fill(gainGrad, 0, usize(width) << 2);
  const rowBytes = usize(width) << 2;
  for (let row = 0; row < rows; row++) {
    const perRoot = f32x4.splat(f32.load(stats));
    let products = f32x4.splat(0);
    for (let i = 0; i < width; i += 4) {
      const offset = usize(i) << 2;
      const normal = f32x4.mul(v128.load(x + offset), perRoot);
      const from = v128.load(grad + offset);
      if (gainGrad != 0) addLanes(gainGrad + offset, f32x4.mul(from, normal), width - i);
      let product = f32x4.mul(gain == 0 ? from : f32x4.mul(from, v128.load(gain + offset)), normal);
      if (width - i < 4) product = firstLanes(product, width - i);
      products = f32x4.add(products, product);
    }
    if (xGrad != 0) {
      const meanProduct = f32x4.splat(sumLanes(products) / f32(width));
      for (let i = 0; i < width; i += 4) {
        const offset = usize(i) << 2;
        const normal = f32x4.mul(v128.load(x + offset), perRoot);
        let inner = v128.load(grad + offset);
        if (gain != 0) inner = f32x4.mul(inner, v128.load(gain + offset));
        let value = f32x4.mul(f32x4.sub(inner, f32x4.mul(normal, meanProduct)), perRoot);
        if (addX) value = f32x4.add(v128.load(xGrad + offset), value);
        storeLanes(xGrad + offset, value, width - i);
      }
      xGrad += rowBytes;
    }
    x += rowBytes;
    grad += rowBytes;
    stats += 4;
  }
}

function rowSum(x: usize, width: i32): f32 {
  let sums = f32x4.splat(0);
  const whole = width & ~3;
  for (let i = 0; i < whole; i += 4) sums = f32x4.add(sums, v128.load(x + (usize(i) << 2)));
  if (whole < width) sums = f32x4.add(sums, firstLanes(v128.load(x + (usize(whole) << 2)), width - whole));
  return sumLanes(sums);
}

/** Sum of (x - mean)². */
function rowSquares(x: usize, means: v128, width: i32): f32 {
  let sums = f32x4.splat(0);
  const whole = width & ~3;
  for (let i = 0; i < whole; i += 4) {
    const value = f32x4.sub(v128.load(x + (usize(i) << 2)), means);
    sums = madd(value, value, sums);
  }
  if (whole < width) {
    const value = firstLanes(f32x4.sub(v128.load(x + (usize(whole) << 2)), means), width - whole);
    sums = madd(value, value, sums);
  }
  return sumLanes(sums);
}

function addLanes(at: usize, x: v128, count: i32): void {
  storeLanes(at, f32x4.add(v128.load(at), x), count);
}
