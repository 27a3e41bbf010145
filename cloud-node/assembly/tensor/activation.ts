/** Activations and their derivatives, a strip at a time. */
import { hyperbolicTangents, normalProducts, sigmoids } from "./functions";
import { madd, storeLanes } from "./lanes";
import { STRIP, strip } from "./work-area";

/** √(2/π), and the cubic's factor in GPT-2's approximation. */
const TANH_SCALE: f32 = 0.7978845608028654;
const TANH_CUBE: f32 = 0.044715;

export function gelu(out: usize, slope: usize, x: usize, count: i32): void {
  for (let start = 0; start < count; start += STRIP) {
    const length = min(STRIP, count - start);
    const offset = usize(start) << 2;
    const pairs = length >> 3;
    normalProducts(out + offset, slope + offset, x + offset, strip(0), pairs);
    const whole = pairs << 3;
    if (whole == length) continue;
    // What is left goes through strips: a pair may be longer than what is asked for.
    const rest = offset + (usize(whole) << 2);
    const bytes = usize(length - whole) << 2;
    memory.copy(strip(1), x + rest, bytes);
    normalProducts(strip(2), strip(3), strip(1), strip(0), 1);
    memory.copy(out + rest, strip(2), bytes);
    memory.copy(slope + rest, strip(3), bytes);
  }
}

export function geluTanh(out: usize, slope: usize, x: usize, count: i32): void {
  const half = f32x4.splat(0.5);
  const one = f32x4.splat(1);
  for (let start = 0; start < count; start += STRIP) {
    const length = min(STRIP, count - start);
    const offset = usize(start) << 2;
    geluTangents(x + offset, length);
    for (let i = 0; i < length; i += 4) {
      const at = usize(i) << 2;
      const value = v128.load(x + offset + at);
      const tanh = v128.load(strip(1) + at);
      const square = f32x4.mul(value, value);
      const inner = f32x4.mul(f32x4.splat(TANH_SCALE), madd(square, f32x4.splat(3 * TANH_CUBE), one));
      const curve = f32x4.mul(f32x4.sub(one, f32x4.mul(tanh, tanh)), f32x4.mul(value, inner));
      const above = f32x4.mul(half, f32x4.add(one, tanh));
      storeLanes(out + offset + at, f32x4.mul(value, above), length - i);
      storeLanes(slope + offset + at, madd(curve, half, above), length - i);
    }
  }
}

/** The second strip gets tanh of what GPT-2's approximation takes it of. */
function geluTangents(x: usize, length: i32): void {
  for (let i = 0; i < length; i += 4) {
    const at = usize(i) << 2;
    const value = v128.load(x + at);
    const cube = f32x4.mul(f32x4.mul(value, value), value);
    v128.store(strip(0) + at, f32x4.mul(f32x4.splat(TANH_SCALE), madd(cube, f32x4.splat(TANH_CUBE), value)));
  }
  hyperbolicTangents(strip(1), strip(0), (length + 7) >> 3);
}

export function relu2(out: usize, x: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const offset = usize(i) << 2;
    const value = f32x4.pmax(v128.load(x + offset), f32x4.splat(0));
    storeLanes(out + offset, f32x4.mul(value, value), count - i);
  }
}

export function relu2Gradient(xGrad: usize, grad: usize, x: usize, count: i32, add: i32): void {
  for (let i = 0; i < count; i += 4) {
    const offset = usize(i) << 2;
    const value = f32x4.pmax(v128.load(x + offset), f32x4.splat(0));
    chain(xGrad + offset, v128.load(grad + offset), f32x4.add(value, value), add, count - i);
  }
}

export function softcap(out: usize, x: usize, count: i32, cap: f32): void {
  const perCap = f32x4.splat(1 / cap);
  for (let start = 0; start < count; start += STRIP) {
    const length = min(STRIP, count - start);
    const offset = usize(start) << 2;
    for (let i = 0; i < length; i += 4) {
      const at = usize(i) << 2;
      v128.store(strip(0) + at, f32x4.mul(v128.load(x + offset + at), perCap));
    }
    hyperbolicTangents(strip(1), strip(0), (length + 7) >> 3);
    for (let i = 0; i < length; i += 4) {
      const at = usize(i) << 2;
      storeLanes(out + offset + at, f32x4.mul(v128.load(strip(1) + at), f32x4.splat(cap)), length - i);
    }
  }
}

export function softcapGradient(xGrad: usize, grad: usize, out: usize, count: i32, cap: f32, add: i32): void {
  const perCap = f32x4.splat(1 / cap);
  for (let i = 0; i < count; i += 4) {
    const offset = usize(i) << 2;
    const tanh = f32x4.mul(v128.load(out + offset), perCap);
    const slope = f32x4.sub(f32x4.splat(1), f32x4.mul(tanh, tanh));
    chain(xGrad + offset, v128.load(grad + offset), slope, add, count - i);
  }
}

export function swiglu(out: usize, gate: usize, up: usize, count: i32): void {
  for (let start = 0; start < count; start += STRIP) {
    const length = min(STRIP, count - start);
    const offset = usize(start) << 2;
    sigmoids(strip(0), gate + offset, (length + 7) >> 3);
    for (let i = 0; i < length; i += 4) {
      const at = usize(i) << 2;
      const silu = f32x4.mul(v128.load(gate + offset + at), v128.load(strip(0) + at));
      storeLanes(out + offset + at, f32x4.mul(silu, v128.load(up + offset + at)), length - i);
    }
  }
}

export function swigluGradient(
  gateGrad: usize,
  upGrad: usize,
  grad: usize,
  gate: usize,
  up: usize,
  count: i32,
  addGate: i32,
  addUp: i32,
): void {
  const one = f32x4.splat(1);
  for (let start = 0; start < count; start += STRIP) {
    const length = min(STRIP, count - start);
    sigmoids(strip(0), gate + (usize(start) << 2), (length + 7) >> 3);
    for (let i = 0; i < length; i += 4) {
      const at = usize(start + i) << 2;
      const value = v128.load(gate + at);
      const share = v128.load(strip(0) + (usize(i) << 2));
      const from = v128.load(grad + at);
      if (upGrad != 0) chain(upGrad + at, from, f32x4.mul(value, share), addUp, length - i);
      if (gateGrad == 0) continue;
      const slope = f32x4.mul(share, madd(value, f32x4.sub(one, share), one));
      chain(gateGrad + at, f32x4.mul(from, v128.load(up + at)), slope, addGate, length - i);
    }
  }
}

/** The chain rule: grad · slope, stored or added. */
function chain(out: usize, grad: v128, slope: v128, add: i32, count: i32): void {
  let value = f32x4.mul(grad, slope);
  if (add) value = f32x4.add(v128.load(out), value);
  storeLanes(out, value, count);
}
