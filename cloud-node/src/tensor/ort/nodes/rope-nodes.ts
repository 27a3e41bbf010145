import type { Address } from "../../tensor.ts";
import { RUNTIME_DOMAIN } from "../onnx-model.ts";
import type { NodeContext, NodeKernels } from "./node-kernels.ts";

/** Rotary positions. */
export function ropeNodes({ graph, places }: NodeContext): NodeKernels<"rope"> {
  return {
    rope(
      out: Address,
      x: Address,
      table: Address,
      positions: Address | undefined,
      rows: number,
      T: number,
      heads: number,
      headDim: number,
      outStride: number,
      xStride: number,
      sign: number,
      add: number,
    ) {
      const width = heads * headDim;
      const angles = places.read(table, { rows: T, width: headDim });
      const [cosines, sines] = [graph.columns(angles, 0, headDim / 2), graph.columns(angles, headDim / 2, headDim / 2)];
      const numbers = () => graph.integers(Array.from({ length: rows }, (_, row) => row % T));
      const given = () =>
        graph.node("Cast", [places.numbers(positions as Address, rows)], { type: "int64", attributes: { to: 7 } });
      const from = graph.reshape(places.read(x, { rows, width, stride: xStride }), [rows, 1, width]);
      const places64 = graph.reshape(positions === undefined ? numbers() : given(), [rows, 1]);
      const turned = graph.node(
        "RotaryEmbedding",
        [from, places64, cosines, sign < 0 ? graph.node("Neg", [sines]) : sines],
        { shape: from.shape, type: "float32", domain: RUNTIME_DOMAIN, attributes: { num_heads: heads } },
      );
      places.contribute(out, graph.reshape(turned, [rows, width]), add, { rows, width, stride: outStride });
    },
  };
}
