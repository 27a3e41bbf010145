import type { Address } from "../../tensor.ts";
import { RUNTIME_DOMAIN, type Value } from "../onnx-model.ts";
import type { NodeContext, NodeKernels } from "./node-kernels.ts";

/** A length that is known when the graph runs. */
const OPEN = -1;

/** Attention of new rows over those that are kept from run to run; only rows up to the new one are looked at. */
export function cachedAttentionNodes({ graph, places, state }: NodeContext): NodeKernels<"cachedAttention"> {
  return {
    cachedAttention(
      out: Address,
      q: Address,
      k: Address,
      v: Address,
      keys: Address,
      values: Address,
      position: Address,
      _scratch: Address,
      batch: number,
      capacity: number,
      heads: number,
      kvHeads: number,
      headDim: number,
      scale: number,
    ) {
      const width = kvHeads * headDim;
      const at = graph.node("Cast", [graph.reshape(places.numbers(position, 1), [1])], {
        ...{ type: "int64", attributes: { to: 7 } },
      });
      const end = graph.node("Add", [at, graph.integers([1])]);
      const sequences = graph.reshape(graph.integers(Array.from({ length: batch }, (_, i) => i)), [batch, 1]);
      const rows = graph.node("Expand", [at, graph.integers([batch, 1])], { shape: [batch, 1] });
      const indices = graph.node("Concat", [sequences, rows], { shape: [batch, 2], attributes: { axis: 1 } });
      /** What is kept, with the new rows in it, by heads: (batch, kvHeads, rows so far, headDim). */
      const remember = (kept: Address, fresh: Address) => {
        const before = state(kept, [batch, capacity, width]);
        const update = [before, indices, places.read(fresh, { rows: batch, width })];
        const after = graph.node("ScatterND", update, { shape: before.shape, type: "float32" });
        places.write(kept, after, { rows: batch * capacity, width });
        const bounds = [graph.integers([0]), end, graph.integers([1])];
        const seen = graph.node("Slice", [after, ...bounds], { shape: [batch, OPEN, width], type: "float32" });
        return graph.transpose(graph.reshape(seen, [batch, OPEN, kvHeads, headDim]), [0, 2, 1, 3]);
      };
      const product = (a: Value, b: Value, transB: number, width: number, alpha: number) =>
        graph.node("FusedMatMul", [a, b], {
          shape: [batch, kvHeads, heads / kvHeads, width],
          type: "float32",
          domain: RUNTIME_DOMAIN,
          attributes: { transB, alpha: { float: alpha } },
        });
      const queries = graph.reshape(places.read(q, { rows: batch, width: heads * headDim }), [
        ...[batch, kvHeads, heads / kvHeads, headDim],
      ]);
      const scores = product(queries, remember(keys, k), 1, OPEN, scale);
      const weights = graph.node("Softmax", [scores], { attributes: { axis: -1 } });
      const mixed = product(weights, remember(values, v), 0, headDim, 1);
      places.write(out, mixed, { rows: batch, width: heads * headDim });
    },
  };
}
