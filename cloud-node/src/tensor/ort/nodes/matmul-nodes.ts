import type { Address } from "../../tensor.ts";
import type { Value } from "../onnx-model.ts";
import { run } from "../place-values.ts";
import type { NodeContext, NodeKernels } from "./node-kernels.ts";

type Names = "embedding" | "embeddingGradient" | "matmul" | "matmulInputGradient" | "matmulWeightGradient";

/** Products of matrices, each one `Gemm`, which reads either operand transposed; and rows of tables. */
export function matmulNodes({ graph, places }: NodeContext): NodeKernels<Names> {
  const product = (a: Value, b: Value, [transA, transB]: readonly [number, number], addend?: Value) => {
    const shape = [a.shape[transA] ?? 1, b.shape[1 - transB] ?? 1];
    const inputs = addend === undefined ? [a, b] : [a, b, addend];
    return graph.node("Gemm", inputs, { shape, attributes: { transA, transB } });
  };
  const weight = (w: Address, inner: number, columns: number, isTransposed: number) =>
    places.read(w, isTransposed === 1 ? { rows: columns, width: inner } : { rows: inner, width: columns });
  return {
    embedding(out: Address, table: Address, ids: Address, rows: number, width: number) {
      const from = places.at(table);
      const count = from.shape.reduce((product, length) => product * length, 1);
      const picked = [graph.reshape(from, [count / width, width]), graph.reshape(places.numbers(ids, rows), [rows])];
      places.write(out, graph.node("Gather", picked, { shape: [rows, width], type: "float32" }), { rows, width });
    },
    embeddingGradient(tableGrad: Address, grad: Address, ids: Address, rows: number, width: number) {
      const kept = places.at(tableGrad);
      const count = kept.shape.reduce((product, length) => product * length, 1);
      const table = graph.reshape(kept, [count / width, width]);
      const long = graph.node("Cast", [places.numbers(ids, rows)], { type: "int64", attributes: { to: 7 } });
      const updates = [table, graph.reshape(long, [rows, 1]), places.read(grad, { rows, width })];
      const options = { shape: table.shape, type: "float32", attributes: { reduction: "add" } } as const;
      places.write(tableGrad, graph.node("ScatterND", updates, options), run(count));
    },
    matmul(
      out: Address,
      x: Address,
      w: Address,
      rows: number,
      inner: number,
      columns: number,
      isTransposed: number,
      bias: Address | undefined,
      residual: Address | undefined,
    ) {
      const shape = { rows, width: columns };
      const addends = [bias && places.numbers(bias, columns), residual && places.read(residual, shape)];
      const [first, second] = addends.filter((addend) => addend !== undefined);
      const operands = [places.read(x, { rows, width: inner }), weight(w, inner, columns, isTransposed)] as const;
      const made = product(...operands, [0, isTransposed], first);
      places.write(out, second === undefined ? made : graph.node("Add", [made, second]), shape);
    },
    matmulInputGradient(
      xGrad: Address,
      grad: Address,
      w: Address,
      rows: number,
      inner: number,
      columns: number,
      isTransposed: number,
      add: number,
    ) {
      const shape = { rows, width: inner };
      const kept = add === 1 ? places.read(xGrad, shape) : undefined;
      const from = places.read(grad, { rows, width: columns });
      places.write(xGrad, product(from, weight(w, inner, columns, isTransposed), [0, 1 - isTransposed], kept), shape);
    },
    matmulWeightGradient(
      wGrad: Address,
      x: Address,
      grad: Address,
      rows: number,
      inner: number,
      columns: number,
      isTransposed: number,
      add: number,
    ) {
      const operands = [places.read(x, { rows, width: inner }), places.read(grad, { rows, width: columns })] as const;
      const [a, b] = isTransposed === 1 ? [operands[1], operands[0]] : operands;
      const kept = add === 1 ? weight(wGrad, inner, columns, isTransposed) : undefined;
      const made = product(a, b, [1, 0], kept);
      places.write(wGrad, made, run(inner * columns));
    },
  };
}
