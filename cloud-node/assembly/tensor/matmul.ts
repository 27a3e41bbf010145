/** Matrix products of programs: the kernels of `cloud-node/src/tensor/kernels.ts`. */
import { multiply } from "./multiply";

export function matmul(
  out: usize,
  x: usize,
  w: usize,
  rows: i32,
  inner: i32,
  columns: i32,
  isTransposed: i32,
  bias: usize,
  residual: usize,
): void {
  const stride = isTransposed ? inner : columns;
  multiply(out, columns, x, inner, false, w, stride, isTransposed != 0, rows, columns, inner, bias, residual, 0);
}

export function matmulInputGradient(
  xGrad: usize,
  grad: usize,
  w: usize,
  rows: i32,
  inner: i32,
  columns: i32,
  isTransposed: i32,
  add: i32,
): void {
  const stride = isTransposed ? inner : columns;
  multiply(xGrad, inner, grad, columns, false, w, stride, isTransposed == 0, rows, inner, columns, 0, 0, add);
}

export function matmulWeightGradient(
  wGrad: usize,
  x: usize,
  grad: usize,
  rows: i32,
  inner: i32,
  columns: i32,
  isTransposed: i32,
  add: i32,
): void {
  if (isTransposed) multiply(wGrad, inner, grad, columns, true, x, inner, false, columns, inner, rows, 0, 0, add);
  else multiply(wGrad, columns, x, inner, true, grad, columns, false, inner, columns, rows, 0, 0, add);
}
