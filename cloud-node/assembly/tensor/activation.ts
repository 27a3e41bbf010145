/** Activations and their derivatives. */
import { bell, hyperbolicTangent, normalShare, sigmoid } from "./functions";
import { madd, storeLanes } from "./lanes";

const PER_ROOT_TWO_PI: f32 = 0.3989422804014327;
/** √(2/π), and the cubic's factor in GPT-2's approximation. */
const TANH_SCALE: f32 = 0.7978845608028654;
const TANH_CUBE: f32 = 0.044715;

export function gelu(out: usize, x: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const offset = usize(i) << 2;
    const value = v128.load(x + offset);
    storeLanes(out + offset, f32x4.mul(value, normalShare(value, bell(value))), count - i);
  }
}

export function geluGradient(xGrad: usize, grad: usize, x: usize, count: i32, add: i32): void {
  for (let i = 0; i < count; i += 4) {
    const offset = usize(i) << 2;
    const value = v128.load(x + offset);
    const density = bell(value);
    const share = normalShare(value, density);
    const slope = madd(f32x4.mul(value, density), f32x4.splat(PER_ROOT_TWO_PI), share);
    chain(xGrad + offset, v128.load(grad + offset), slope, add, count - i);
  }
}

export function geluTanh(out: usize, x: usize, count: i32): void {
  const half = f32x4.splat(0.5);
  for (let i = 0; i < count; i += 4) {
    const offset = usize(i) << 2;
    const value = f32x4.mul(v128.load(x + offset), half);
    storeLanes(out + offset, madd(value, hyperbolicTangent(tanhArgument(v128.load(x + offset))), value), count - i);
  }
}

export function geluTanhGradient(xGrad: usize, grad: usize, x: usize, count: i32, add: i32): void {
  const half = f32x4.splat(0.5);
  const one = f32x4.splat(1);
  for (let i = 0; i < count; i += 4) {
    const offset = usize(i) << 2;
    const value = v128.load(x + offset);
    const tanh = hyperbolicTangent(tanhArgument(value));
    const square = f32x4.mul(value, value);
    const inner = f32x4.mul(f32x4.splat(TANH_SCALE), madd(square, f32x4.splat(3 * TANH_CUBE), one));
    const curve = f32x4.mul(f32x4.sub(one, f32x4.mul(tanh, tanh)), f32x4.mul(value, inner));
    chain(
      xGrad + offset,
      v128.load(grad + offset),
      f32x4.mul(half, f32x4.add(f32x4.add(one, tanh), curve)),
      add,
      count - i,
    );
  }
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
  for (let i = 0; i < count; i += 4) {
    const offset = usize(i) << 2;
    const tanh = hyperbolicTangent(f32x4.mul(v128.load(x + offset), perCap));
    storeLanes(out + offset, f32x4.mul(tanh, f32x4.splat(cap)), count - i);
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
  for (let i = 0; i < count; i += 4) {
    const offset = usize(i) << 2;
    const value = v128.load(gate + offset);
    const product = f32x4.mul(f32x4.mul(value, sigmoid(value)), v128.load(up + offset));
    storeLanes(out + offset, product, count - i);
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
  for (let i = 0; i < count; i += 4) {
    const offset = usize(i) << 2;
    const value = v128.load(gate + offset);
    const share = sigmoid(value);
    const from = v128.load(grad + offset);
    if (upGrad != 0) chain(upGrad + offset, from, f32x4.mul(value, share), addUp, count - i);
    if (gateGrad == 0) continue;
    const slope = f32x4.mul(share, madd(value, f32x4.sub(one, share), one));
    chain(gateGrad + offset, f32x4.mul(from, v128.load(up + offset)), slope, addGate, count - i);
  }
}

function tanhArgument(x: v128): v128 {
  const cube = f32x4.mul(f32x4.mul(x, x), x);
  return f32x4.mul(f32x4.splat(TANH_SCALE), madd(cube, f32x4.splat(TANH_CUBE), x));
}

/** The chain rule: grad · slope, stored or added. */
function chain(out: usize, grad: v128, slope: v128, add: i32, count: i32): void {
  let value = f32x4.mul(grad, slope);
  if (add) value = f32x4.add(v128.load(out), value);
  storeLanes(out, value, count);
}
