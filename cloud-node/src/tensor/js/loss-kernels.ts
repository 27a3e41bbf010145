import type { Kernels } from "../kernels.ts";
import { keeperOf, readerOf } from "./elementwise-kernels.ts";

/** Cross-entropy, as its formula. @param m  the arena */
export function lossKernels(m: Float64Array): Pick<Kernels, "crossEntropy" | "crossEntropyGradient"> {
  const get = readerOf(m);
  const kept = keeperOf(m);
  return {
    crossEntropy(loss, logits, targets, logSums, denominator, rows, columns) {
      let total = 0;
      for (let row = 0; row < rows; row++) {
        const at = logits + row * columns;
        let largest = -Infinity;
        for (let i = 0; i < columns; i++) largest = Math.max(largest, get(at + i));
        let sum = 0;
        for (let i = 0; i < columns; i++) sum += Math.exp(get(at + i) - largest);
        const logSum = largest + Math.log(sum);
        m[logSums + row] = logSum;
        const target = get(targets + row);
        if (target >= 0) total += logSum - get(at + target);
      }
      m[loss] = total / get(denominator);
    },
    crossEntropyGradient(logitsGrad, lossGrad, logits, targets, logSums, denominator, rows, columns, add) {
      const factor = get(lossGrad) / get(denominator);
      for (let row = 0; row < rows; row++) {
        const target = get(targets + row);
        for (let i = 0; i < columns; i++) {
          const at = row * columns + i;
          const share = Math.exp(get(logits + at) - get(logSums + row));
          const own = target < 0 ? 0 : factor * (share - (i === target ? 1 : 0));
          m[logitsGrad + at] = kept(logitsGrad + at, add) + own;
        }
      }
    },
  };
}
