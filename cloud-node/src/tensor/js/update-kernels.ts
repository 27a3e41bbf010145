import type { UpdateKernels } from "../kernels.ts";
import { readerOf } from "./elementwise-kernels.ts";

/** Updates of parameters, as formulas. @param m  the arena */
export function updateKernels(m: Float64Array): UpdateKernels {
  const get = readerOf(m);
  return {
    sumOfSquares(x, count) {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += get(x + i) ** 2;
      return sum;
    },
    adamw(value, grad, average, squareAverage, count, gradScale, beta1, beta2, rate, squareFactor, eps, decay) {
      for (let i = 0; i < count; i++) {
        const g = gradScale * get(grad + i);
        const mean = beta1 * get(average + i) + (1 - beta1) * g;
        const square = beta2 * get(squareAverage + i) + (1 - beta2) * g * g;
        m[average + i] = mean;
        m[squareAverage + i] = square;
        const step = (rate * mean) / (Math.sqrt(square * squareFactor) + eps);
        m[value + i] = get(value + i) * (1 - decay) - step;
      }
    },
    nesterov(out, grad, average, count, gradScale, momentum) {
      for (let i = 0; i < count; i++) {
        const g = gradScale * get(grad + i);
        const mean = momentum * get(average + i) + (1 - momentum) * g;
        m[average + i] = mean;
        m[out + i] = g + momentum * (mean - g);
      }
    },
  };
}
