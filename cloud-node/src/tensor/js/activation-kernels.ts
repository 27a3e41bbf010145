import { erfc } from "../error-function.ts";
import type { Kernels } from "../kernels.ts";
import { keeperOf, readerOf } from "./elementwise-kernels.ts";

type Chained = "relu2" | "softcap" | "swiglu";

const TANH_SCALE = Math.sqrt(2 / Math.PI);
const TANH_CUBE = 0.044715;

/** Activations and their derivatives, as formulas. @param m  the arena */
export function activationKernels(
  m: Float64Array,
): Pick<Kernels, "gelu" | "geluTanh" | Chained | `${Chained}Gradient`> {
  const get = readerOf(m);
  const kept = keeperOf(m);
  const map = (out: number, x: number, count: number, of: (x: number) => number) => {
    for (let i = 0; i < count; i++) m[out + i] = of(get(x + i));
  };
  /** out = add · out + grad · slope(x) */
  const chain = (
    out: number,
    grad: number,
    x: number,
    [count, add]: readonly [number, number],
    slope: (x: number) => number,
  ) => {
    for (let i = 0; i < count; i++) m[out + i] = kept(out + i, add) + get(grad + i) * slope(get(x + i));
  };
  return {
    gelu(out, slope, x, count) {
      map(out, x, count, (x) => x * normalShare(x));
      map(slope, x, count, (x) => normalShare(x) + (x * Math.exp(-x * x * 0.5)) / Math.sqrt(2 * Math.PI));
    },
    geluTanh(out, slope, x, count) {
      map(out, x, count, (x) => 0.5 * x * (1 + Math.tanh(tanhArgument(x))));
      map(slope, x, count, (x) => {
        const tanh = Math.tanh(tanhArgument(x));
        return 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * TANH_SCALE * (1 + 3 * TANH_CUBE * x * x);
      });
    },
    relu2: (out, x, count) => map(out, x, count, (x) => Math.max(x, 0) ** 2),
    relu2Gradient: (xGrad, grad, x, count, add) => chain(xGrad, grad, x, [count, add], (x) => 2 * Math.max(x, 0)),
    softcap: (out, x, count, cap) => map(out, x, count, (x) => cap * Math.tanh(x / cap)),
    softcapGradient: (xGrad, grad, out, count, cap, add) =>
      chain(xGrad, grad, out, [count, add], (y) => 1 - (y / cap) ** 2),
    swiglu(out, gate, up, count) {
      for (let i = 0; i < count; i++) m[out + i] = get(gate + i) * sigmoid(get(gate + i)) * get(up + i);
    },
    swigluGradient(gateGrad, upGrad, grad, gate, up, count, addGate, addUp) {
      for (let i = 0; i < count; i++) {
        const g = get(gate + i);
        const share = sigmoid(g);
        const [from, factor] = [get(grad + i), get(up + i)];
        if (upGrad !== 0) m[upGrad + i] = kept(upGrad + i, addUp) + from * g * share;
        if (gateGrad === 0) continue;
        m[gateGrad + i] = kept(gateGrad + i, addGate) + from * factor * share * (1 + g * (1 - share));
      }
    },
  };
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function tanhArgument(x: number): number {
  return TANH_SCALE * (x + TANH_CUBE * x * x * x);
}

/** Share of the normal distribution below x: (1 + erf(x/√2)) / 2. */
function normalShare(x: number): number {
  const tail = 0.5 * erfc(Math.abs(x) / Math.SQRT2);
  return x > 0 ? 1 - tail : tail;
}
