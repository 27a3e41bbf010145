import type { Kernels } from "../kernels.ts";
import { keeperOf, readerOf } from "./elementwise-kernels.ts";

type Names = "matmul" | "matmulInputGradient" | "matmulWeightGradient" | "embedding" | "embeddingGradient";

/** Matrix products as sums of products. @param m  the arena */
export function matmulKernels(m: Float64Array): Pick<Kernels, Names> {
  const get = readerOf(m);
  const kept = keeperOf(m);
  return {
    matmul(out, x, w, rows, inner, columns, isTransposed, bias, residual) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const at = row * columns + column;
          let sum = 0;
          for (let k = 0; k < inner; k++) {
            sum += get(x + row * inner + k) * get(w + (isTransposed ? column * inner + k : k * columns + column));
          }
          if (bias !== 0) sum += get(bias + column);
          if (residual !== 0) sum += get(residual + at);
          m[out + at] = sum;
        }
      }
    },
    matmulInputGradient(xGrad, grad, w, rows, inner, columns, isTransposed, add) {
      for (let row = 0; row < rows; row++) {
        for (let k = 0; k < inner; k++) {
          let sum = kept(xGrad + row * inner + k, add);
          for (let column = 0; column < columns; column++) {
            sum +=
              get(grad + row * columns + column) * get(w + (isTransposed ? column * inner + k : k * columns + column));
          }
          m[xGrad + row * inner + k] = sum;
        }
      }
    },
    matmulWeightGradient(wGrad, x, grad, rows, inner, columns, isTransposed, add) {
      for (let k = 0; k < inner; k++) {
        for (let column = 0; column < columns; column++) {
          const at = wGrad + (isTransposed ? column * inner + k : k * columns + column);
          let sum = kept(at, add);
          for (let row = 0; row < rows; row++) sum += get(x + row * inner + k) * get(grad + row * columns + column);
          m[at] = sum;
        }
      }
    },
    embedding(out, table, ids, rows, width) {
      for (let row = 0; row < rows; row++) {
        const from = table + get(ids + row) * width;
        m.copyWithin(out + row * width, from, from + width);
      }
    },
    embeddingGradient(tableGrad, grad, ids, rows, width) {
      for (let row = 0; row < rows; row++) {
        const to = tableGrad + get(ids + row) * width;
        for (let i = 0; i < width; i++) m[to + i] = get(to + i) + get(grad + row * width + i);
      }
    },
  };
}
