import { checkContiguous, checkShape, type Recorder } from "../recorder.ts";
import { rowsOf, sizeOf, type Tensor, widthOf } from "../tensor.ts";

export interface MatmulOptions {
  /** `w` is (columns, inner), as PyTorch's linear layers and tied heads keep it. */
  readonly transposed?: boolean;
  /** (columns) */
  readonly bias?: Tensor;
  /** In the shape of the result, added to the product: cheaper than an `add` that follows. */
  readonly residual?: Tensor;
}

/** x (…, inner) · w (inner, columns), + bias, + residual. */
export function matmul(recorder: Recorder, x: Tensor, w: Tensor, options: MatmulOptions): Tensor {
  const { transposed = false, bias, residual } = options;
  checkContiguous("matmul", x, w, bias, residual);
  const [rows, inner] = [rowsOf(x), widthOf(x)];
  const columns = transposed ? rowsOf(w) : widthOf(w);
  checkShape("matmul", "the weight", w.shape, transposed ? [columns, inner] : [inner, columns]);
  if (bias !== undefined) checkShape("matmul", "the bias", bias.shape, [columns]);
  const shape = [...x.shape.slice(0, -1), columns];
  if (residual !== undefined) checkShape("matmul", "the residual", residual.shape, shape);
  recorder.markMatrix(w, { inner, columns, isTransposed: transposed });
  const order = transposed ? 1 : 0;
  const operands = [x, w, bias, residual].filter((operand) => operand !== undefined);
  const out = recorder.result(shape, operands, (tape, grad) => {
    if (tape.needs(x)) {
      const { address, add } = tape.give(x);
      tape.call("matmulInputGradient", address, grad, w, rows, inner, columns, order, add);
    }
    if (tape.needs(w)) {
      const { address, add } = tape.give(w);
      tape.call("matmulWeightGradient", address, x, grad, rows, inner, columns, order, add);
    }
    if (bias !== undefined && tape.needs(bias)) {
      const { address, add } = tape.give(bias);
      tape.call("columnSums", address, grad, rows, columns, add);
    }
    if (residual !== undefined) tape.pass(out, residual);
  });
  recorder.call("matmul", out, x, w, rows, inner, columns, order, bias, residual);
  return out;
}

/** Rows of `table` (vocabulary, width) by `ids` (n), whole numbers. */
export function embedding(recorder: Recorder, table: Tensor, ids: Tensor): Tensor {
  checkContiguous("embedding", table, ids);
  recorder.limit("embedding", ids, 0, rowsOf(table));
  const width = widthOf(table);
  const rows = sizeOf(ids.shape);
  const out = recorder.result([rows, width], [table], (tape, grad) => {
    const { address, add } = tape.give(table);
    if (add === 0) tape.call("fill", address, 1, sizeOf(table.shape), sizeOf(table.shape), 0);
    tape.call("embeddingGradient", address, grad, ids, rows, width);
  });
  recorder.call("embedding", out, table, ids, rows, width);
  return out;
}
