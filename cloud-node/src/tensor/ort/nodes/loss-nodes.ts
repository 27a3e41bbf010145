import type { Address } from "../../tensor.ts";
import type { Value } from "../onnx-model.ts";
import type { NodeContext, NodeKernels } from "./node-kernels.ts";

/** Cross-entropy over the rows whose target is not negative. */
export function lossNodes({ graph, places }: NodeContext): NodeKernels<"crossEntropy" | "crossEntropyGradient"> {
  /** Targets as columns, and for each row `counted`, or 0 where it is masked. */
  const pick = (targets: Address, rows: number) => {
    const ids = graph.reshape(places.numbers(targets, rows), [rows, 1]);
    const none = graph.integers([0], "int32");
    const isCounted = graph.node("GreaterOrEqual", [ids, none], { type: "bool" });
    const where = (counted: Value) =>
      graph.node("Where", [isCounted, counted, graph.scalar(0)], { shape: [rows, 1], type: "float32" });
    return { columns: graph.node("Max", [ids, none]), where };
  };
  return {
    crossEntropy(
      loss: Address,
      logits: Address,
      targets: Address,
      logSums: Address,
      denominator: Address,
      rows: number,
      columns: number,
    ) {
      const logShares = graph.node("LogSoftmax", [places.read(logits, { rows, width: columns })], {
        attributes: { axis: 1 },
      });
      // The gradient takes them from here: in a graph they cost no more than the sums that other backends keep.
      places.keep(logSums, logShares);
      const target = pick(targets, rows);
      const options = { shape: [rows, 1], type: "float32", attributes: { axis: 1 } } as const;
      const counted = target.where(graph.node("GatherElements", [logShares, target.columns], options));
      const axes = graph.integers([0, 1]);
      const total = graph.node("ReduceSum", [counted, axes], { shape: [1, 1], attributes: { keepdims: 1 } });
      const mean = graph.node("Div", [graph.node("Sub", [graph.scalar(0), total]), places.numbers(denominator, 1)]);
      places.write(loss, mean, { rows: 1, width: 1 });
    },
    crossEntropyGradient(
      logitsGrad: Address,
      lossGrad: Address,
      _logits: Address,
      targets: Address,
      logSums: Address,
      denominator: Address,
      rows: number,
      columns: number,
      add: number,
    ) {
      const target = pick(targets, rows);
      const factor = target.where(graph.node("Div", [places.numbers(lossGrad, 1), places.numbers(denominator, 1)]));
      const shares = graph.node("Mul", [graph.node("Exp", [places.kept(logSums)]), factor]);
      const updates = [shares, target.columns, graph.node("Neg", [factor])];
      const options = { shape: [rows, columns], type: "float32", attributes: { axis: 1, reduction: "add" } } as const;
      places.contribute(logitsGrad, graph.node("ScatterElements", updates, options), add);
    },
  };
}
