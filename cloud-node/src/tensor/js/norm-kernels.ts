import type { Kernels } from "../kernels.ts";
import { keeperOf, readerOf } from "./elementwise-kernels.ts";

/** Norms of rows, as formulas. @param m  the arena */
export function normKernels(
  m: Float64Array,
): Pick<Kernels, "layerNorm" | "layerNormGradient" | "rmsNorm" | "rmsNormGradient"> {
  const get = readerOf(m);
  const kept = keeperOf(m);
  const meanOf = (width: number, term: (i: number) => number) => {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += term(i);
    return sum / width;
  };
  const gainAt = (gain: number, i: number) => (gain === 0 ? 1 : get(gain + i));
  return {
    layerNorm(out, x, gain, bias, stats, rows, width, eps) {
      for (let row = 0; row < rows; row++) {
        const at = row * width;
        const mean = meanOf(width, (i) => get(x + at + i));
        const variance = meanOf(width, (i) => (get(x + at + i) - mean) ** 2);
        const perDeviation = 1 / Math.sqrt(variance + eps);
        m[stats + 2 * row] = mean;
        m[stats + 2 * row + 1] = perDeviation;
        for (let i = 0; i < width; i++) {
          const offset = bias === 0 ? 0 : get(bias + i);
          m[out + at + i] = (get(x + at + i) - mean) * perDeviation * gainAt(gain, i) + offset;
        }
      }
    },
    layerNormGradient(xGrad, gainGrad, biasGrad, grad, x, gain, stats, rows, width, addX, addGain, addBias) {
      if (gainGrad !== 0 && addGain === 0) m.fill(0, gainGrad, gainGrad + width);
      if (biasGrad !== 0 && addBias === 0) m.fill(0, biasGrad, biasGrad + width);
      for (let row = 0; row < rows; row++) {
        const at = row * width;
        const mean = get(stats + 2 * row);
        const perDeviation = get(stats + 2 * row + 1);
        const normal = (i: number) => (get(x + at + i) - mean) * perDeviation;
        const inner = (i: number) => get(grad + at + i) * gainAt(gain, i);
        const meanInner = meanOf(width, inner);
        const meanProduct = meanOf(width, (i) => inner(i) * normal(i));
        for (let i = 0; i < width; i++) {
          if (gainGrad !== 0) m[gainGrad + i] = get(gainGrad + i) + get(grad + at + i) * normal(i);
          if (biasGrad !== 0) m[biasGrad + i] = get(biasGrad + i) + get(grad + at + i);
          if (xGrad === 0) continue;
          const own = perDeviation * (inner(i) - meanInner - normal(i) * meanProduct);
          m[xGrad + at + i] = kept(xGrad + at + i, addX) + own;
        }
      }
    },
    rmsNorm(out, x, gain, stats, rows, width, eps) {
      for (let row = 0; row < rows; row++) {
        const at = row * width;
        const perRoot = 1 / Math.sqrt(meanOf(width, (i) => get(x + at + i) ** 2) + eps);
        m[stats + row] = perRoot;
        for (let i = 0; i < width; i++) m[out + at + i] = get(x + at + i) * perRoot * gainAt(gain, i);
      }
    },
    rmsNormGradient(xGrad, gainGrad, grad, x, gain, stats, rows, width, addX, addGain) {
      if (gainGrad !== 0 && addGain === 0) m.fill(0, gainGrad, gainGrad + width);
      for (let row = 0; row < rows; row++) {
        const at = row * width;
        const perRoot = get(stats + row);
        const normal = (i: number) => get(x + at + i) * perRoot;
        const inner = (i: number) => get(grad + at + i) * gainAt(gain, i);
        const meanProduct = meanOf(width, (i) => inner(i) * normal(i));
        for (let i = 0; i < width; i++) {
          if (gainGrad !== 0) m[gainGrad + i] = get(gainGrad + i) + get(grad + at + i) * normal(i);
          if (xGrad === 0) continue;
          m[xGrad + at + i] = kept(xGrad + at + i, addX) + perRoot * (inner(i) - normal(i) * meanProduct);
        }
      }
    },
  };
}
