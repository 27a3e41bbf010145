import type { Kernels } from "../kernels.ts";
import type { DispatchRecorder } from "./dispatch-recorder.ts";

type Names = "matmul" | "matmulInputGradient" | "matmulWeightGradient";

/** `TILE_COLUMNS` of kernels/product.wgsl. */
const TILE_COLUMNS = 64;
/** Rows of a tile for each row of threads there. */
const THREAD_ROWS = 8;
/** From so many rows on, tiles are twice as high: fewer reads for each product. */
const MANY_ROWS = 512;

/** What is known to be zero, as kernels/product.wgsl says. */
export const TRIANGLE = { out: 1, a: 2, aBelow: 3 } as const;

/** One product, or one for each head of each sequence. Left out: one matrix, no bias, nothing transposed. */
export interface Product {
  readonly places: {
    readonly out: number;
    readonly a: number;
    readonly b: number;
    readonly bias?: number;
    readonly residual?: number;
  };
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly outStride: number;
  readonly aStride: number;
  readonly bStride: number;
  readonly aTransposed?: boolean;
  readonly bTransposed?: boolean;
  readonly triangle?: (typeof TRIANGLE)[keyof typeof TRIANGLE];
  readonly add?: number;
  readonly batch?: ProductBatch;
}

/** How a batch lies: numbers from one sequence to the next, and from one head to the next. */
export interface ProductBatch {
  readonly sequences: number;
  readonly heads: number;
  /** Heads of `out` and `a` that have one of b's. */
  readonly share: number;
  readonly outSequence: number;
  readonly outHead: number;
  readonly aSequence: number;
  readonly aHead: number;
  readonly bSequence: number;
  readonly bHead: number;
}

const ONE: ProductBatch = {
  ...{ sequences: 1, heads: 1, share: 1, outSequence: 0, outHead: 0, aSequence: 0, aHead: 0, bSequence: 0, bHead: 0 },
};

export function recordProduct(to: DispatchRecorder, product: Product): void {
  const { places, aTransposed = false, bTransposed = false, triangle = 0, add = 0, batch = ONE, ...sizes } = product;
  const { sequences, ...strides } = batch;
  const rowThreads = sizes.rows < MANY_ROWS ? 8 : 16;
  const groups = [
    Math.ceil(sizes.columns / TILE_COLUMNS),
    Math.ceil(sizes.rows / (THREAD_ROWS * rowThreads)),
    sequences * strides.heads,
  ] as const;
  const constants = { aTransposed: Number(aTransposed), bTransposed: Number(bTransposed), triangle, rowThreads };
  to.groups("product.product", groups, places, { ...sizes, ...strides, add }, constants);
}

/** Products of matrices: all three are one kernel. */
export function recordMatmul(to: DispatchRecorder): Pick<Kernels, Names> {
  return {
    matmul(out, x, w, rows, inner, columns, isTransposed, bias, residual) {
      recordProduct(to, {
        places: { out, a: x, b: w, bias, residual },
        ...{ rows, inner, columns, outStride: columns, aStride: inner },
        ...{ bStride: isTransposed === 1 ? inner : columns, bTransposed: isTransposed === 1 },
      });
    },
    matmulInputGradient(xGrad, grad, w, rows, inner, columns, isTransposed, add) {
      recordProduct(to, {
        places: { out: xGrad, a: grad, b: w },
        ...{ rows, inner: columns, columns: inner, outStride: inner, aStride: columns },
        ...{ bStride: isTransposed === 1 ? inner : columns, bTransposed: isTransposed === 0, add },
      });
    },
    matmulWeightGradient(wGrad, x, grad, rows, inner, columns, isTransposed, add) {
      const [a, b] = isTransposed === 1 ? [grad, x] : [x, grad];
      const [height, width] = isTransposed === 1 ? [columns, inner] : [inner, columns];
      recordProduct(to, {
        places: { out: wGrad, a, b },
        ...{ rows: height, inner: rows, columns: width },
        ...{ outStride: width, aStride: height, bStride: width, aTransposed: true, add },
      });
    },
  };
}
