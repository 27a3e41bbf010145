/** What norms make of one row. */
import { firstLanes, storeLanes, sumLanes } from "./lanes";

/** out = (x - mean) · factor, · gain or 0, + bias or 0. */
export function scaleRow(out: usize, x: usize, means: v128, factors: v128, gain: usize, bias: usize, width: i32): void {
  const pairs = usize(width & ~7) << 2;
  for (let at: usize = 0; at < pairs; at += 32) {
    let low = f32x4.mul(f32x4.sub(v128.load(x + at), means), factors);
    let high = f32x4.mul(f32x4.sub(v128.load(x + at, 16), means), factors);
    if (gain != 0) {
      low = f32x4.mul(low, v128.load(gain + at));
      high = f32x4.mul(high, v128.load(gain + at, 16));
    }
    if (bias != 0) {
      low = f32x4.add(low, v128.load(bias + at));
      high = f32x4.add(high, v128.load(bias + at, 16));
    }
    v128.store(out + at, high, 16);
    v128.store(out + at, low);
  }
  for (let i = width & ~7; i < width; i += 4) {
    const at = usize(i) << 2;
    let value = f32x4.mul(f32x4.sub(v128.load(x + at), means), factors);
    if (gain != 0) value = f32x4.mul(value, v128.load(gain + at));
    if (bias != 0) value = f32x4.add(value, v128.load(bias + at));
    storeLanes(out + at, value, width - i);
  }
}

/**
 * Adds a row to the gradients of gain and bias.
 *
 * @returns Σ inner and Σ inner · normal, in the first two lanes, where inner = grad · gain and normal = (x - mean) · factor
 */
export function innerSums(
  gainGrad: usize,
  biasGrad: usize,
  grad: usize,
  x: usize,
  means: v128,
  factors: v128,
  gain: usize,
  width: i32,
): v128 {
  let sumLow = f32x4.splat(0);
  let sumHigh = f32x4.splat(0);
  let productLow = f32x4.splat(0);
  let productHigh = f32x4.splat(0);
  const pairs = usize(width & ~7) << 2;
  for (let at: usize = 0; at < pairs; at += 32) {
    const low = f32x4.mul(f32x4.sub(v128.load(x + at), means), factors);
    const high = f32x4.mul(f32x4.sub(v128.load(x + at, 16), means), factors);
    let innerLow = v128.load(grad + at);
    let innerHigh = v128.load(grad + at, 16);
    if (biasGrad != 0) {
      v128.store(biasGrad + at, f32x4.add(v128.load(biasGrad + at, 16), innerHigh), 16);
      v128.store(biasGrad + at, f32x4.add(v128.load(biasGrad + at), innerLow));
    }
    if (gainGrad != 0) {
      v128.store(gainGrad + at, f32x4.add(v128.load(gainGrad + at, 16), f32x4.mul(innerHigh, high)), 16);
      v128.store(gainGrad + at, f32x4.add(v128.load(gainGrad + at), f32x4.mul(innerLow, low)));
    }
    if (gain != 0) {
      innerLow = f32x4.mul(innerLow, v128.load(gain + at));
      innerHigh = f32x4.mul(innerHigh, v128.load(gain + at, 16));
    }
    sumLow = f32x4.add(sumLow, innerLow);
    sumHigh = f32x4.add(sumHigh, innerHigh);
    productLow = f32x4.add(productLow, f32x4.mul(innerLow, low));
    productHigh = f32x4.add(productHigh, f32x4.mul(innerHigh, high));
  }
  for (let i = width & ~7; i < width; i += 4) {
    const at = usize(i) << 2;
    const normal = f32x4.mul(f32x4.sub(v128.load(x + at), means), factors);
    const from = v128.load(grad + at);
    if (biasGrad != 0) addLanes(biasGrad + at, from, width - i);
    if (gainGrad != 0) addLanes(gainGrad + at, f32x4.mul(from, normal), width - i);
    const inner = gain == 0 ? from : f32x4.mul(from, v128.load(gain + at));
    sumLow = f32x4.add(sumLow, firstLanes(inner, width - i));
    productLow = f32x4.add(productLow, firstLanes(f32x4.mul(inner, normal), width - i));
  }
  const sum = f32x4.splat(sumLanes(f32x4.add(sumLow, sumHigh)));
  return f32x4.replace_lane(sum, 1, sumLanes(f32x4.add(productLow, productHigh)));
}

/** xGrad = (inner - mean inner - normal · mean product) · factor, or added to what is there. */
export function rowGradient(
  xGrad: usize,
  grad: usize,
  x: usize,
  means: v128,
  factors: v128,
  gain: usize,
  meanInner: v128,
  meanProduct: v128,
  width: i32,
  add: i32,
): void {
  const pairs = usize(width & ~7) << 2;
  for (let at: usize = 0; at < pairs; at += 32) {
    const low = f32x4.mul(f32x4.sub(v128.load(x + at), means), factors);
    const high = f32x4.mul(f32x4.sub(v128.load(x + at, 16), means), factors);
    let innerLow = v128.load(grad + at);
    let innerHigh = v128.load(grad + at, 16);
    if (gain != 0) {
      innerLow = f32x4.mul(innerLow, v128.load(gain + at));
      innerHigh = f32x4.mul(innerHigh, v128.load(gain + at, 16));
    }
    innerLow = f32x4.sub(f32x4.sub(innerLow, meanInner), f32x4.mul(low, meanProduct));
    innerHigh = f32x4.sub(f32x4.sub(innerHigh, meanInner), f32x4.mul(high, meanProduct));
    innerLow = f32x4.mul(innerLow, factors);
    innerHigh = f32x4.mul(innerHigh, factors);
    if (add) {
      innerLow = f32x4.add(v128.load(xGrad + at), innerLow);
      innerHigh = f32x4.add(v128.load(xGrad + at, 16), innerHigh);
    }
    v128.store(xGrad + at, innerHigh, 16);
    v128.store(xGrad + at, innerLow);
  }
  for (let i = width & ~7; i < width; i += 4) {
    const at = usize(i) << 2;
    const normal = f32x4.mul(f32x4.sub(v128.load(x + at), means), factors);
    const inner = gain == 0 ? v128.load(grad + at) : f32x4.mul(v128.load(grad + at), v128.load(gain + at));
    let value = f32x4.mul(f32x4.sub(f32x4.sub(inner, meanInner), f32x4.mul(normal, meanProduct)), factors);
    if (add) value = f32x4.add(v128.load(xGrad + at), value);
    storeLanes(xGrad + at, value, width - i);
  }
}

function addLanes(at: usize, x: v128, count: i32): void {
  storeLanes(at, f32x4.add(v128.load(at), x), count);
}
