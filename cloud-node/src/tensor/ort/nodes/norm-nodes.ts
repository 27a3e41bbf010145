import type { Address } from "../../tensor.ts";
import type { Value } from "../onnx-model.ts";
import type { NodeContext, NodeKernels } from "./node-kernels.ts";

type Names = "layerNorm" | "layerNormGradient" | "rmsNorm" | "rmsNormGradient";

/** Norms of rows. */
export function normNodes({ graph, places }: NodeContext): NodeKernels<Names> {
  const times = (a: Value, b: Value) => graph.node("Mul", [a, b]);
  const meanOf = (x: Value) => {
    const axes = graph.integers([1]);
    return graph.node("ReduceMean", [x, axes], { shape: [x.shape[0] ?? 1, 1], attributes: { keepdims: 1 } });
  };
  const columnSums = (x: Value) => {
    const axes = graph.integers([0]);
    return graph.node("ReduceSum", [x, axes], { shape: [x.shape[1] ?? 1], attributes: { keepdims: 0 } });
  };
  const gained = (x: Value, gain: Address | undefined, width: number) =>
    gain === undefined ? x : times(x, places.numbers(gain, width));
  return {
    layerNorm(
      out: Address,
      x: Address,
      gain: Address | undefined,
      bias: Address | undefined,
      stats: Address,
      rows: number,
      width: number,
      eps: number,
    ) {
      const ones = () => graph.floats(new Float32Array(width).fill(1), [width]);
      const inputs = [places.read(x, { rows, width }), gain === undefined ? ones() : places.numbers(gain, width)];
      if (bias !== undefined) inputs.push(places.numbers(bias, width));
      const row = { shape: [rows, 1], type: "float32" } as const;
      const outputs = [{ shape: [rows, width], type: "float32" } as const, row, row];
      const attributes = { axis: -1, epsilon: { float: eps } };
      const [normal, mean, perDeviation] = graph.nodes("LayerNormalization", inputs, outputs, { attributes });
      places.write(out, normal as Value, { rows, width });
      places.write(stats, mean as Value, { rows, width: 1, stride: 2 });
      const second = { ...stats, offset: stats.offset + 1 };
      places.write(second, perDeviation as Value, { rows, width: 1, stride: 2 });
    },
    layerNormGradient(
      xGrad: Address | undefined,
      gainGrad: Address | undefined,
      biasGrad: Address | undefined,
      grad: Address,
      x: Address,
      gain: Address | undefined,
      stats: Address,
      rows: number,
      width: number,
      addX: number,
      addGain: number,
      addBias: number,
    ) {
      const from = places.read(grad, { rows, width });
      const mean = places.read(stats, { rows, width: 1, stride: 2 });
      const perDeviation = places.read({ ...stats, offset: stats.offset + 1 }, { rows, width: 1, stride: 2 });
      const normal = times(graph.node("Sub", [places.read(x, { rows, width }), mean]), perDeviation);
      if (gainGrad !== undefined) places.contribute(gainGrad, columnSums(times(from, normal)), addGain);
      if (biasGrad !== undefined) places.contribute(biasGrad, columnSums(from), addBias);
      if (xGrad === undefined) return;
      const inner = gained(from, gain, width);
      const centred = graph.node("Sub", [inner, meanOf(inner)]);
      const own = graph.node("Sub", [centred, times(normal, meanOf(times(inner, normal)))]);
      places.contribute(xGrad, times(own, perDeviation), addX);
    },
    rmsNorm(
      out: Address,
      x: Address,
      gain: Address | undefined,
      stats: Address,
      rows: number,
      width: number,
      eps: number,
    ) {
      const matrix = places.read(x, { rows, width });
      const meanSquare = graph.node("Add", [meanOf(times(matrix, matrix)), graph.scalar(eps)]);
      const perRoot = graph.node("Reciprocal", [graph.node("Sqrt", [meanSquare])]);
      places.write(stats, perRoot, { rows, width: 1 });
      places.write(out, gained(times(matrix, perRoot), gain, width), { rows, width });
    },
    rmsNormGradient(
      xGrad: Address | undefined,
      gainGrad: Address | undefined,
      grad: Address,
      x: Address,
      gain: Address | undefined,
      stats: Address,
      rows: number,
      width: number,
      addX: number,
      addGain: number,
    ) {
      const from = places.read(grad, { rows, width });
      const perRoot = places.read(stats, { rows, width: 1 });
      const normal = times(places.read(x, { rows, width }), perRoot);
      if (gainGrad !== undefined) places.contribute(gainGrad, columnSums(times(from, normal)), addGain);
      if (xGrad === undefined) return;
      const inner = gained(from, gain, width);
      const own = graph.node("Sub", [inner, times(normal, meanOf(times(inner, normal)))]);
      places.contribute(xGrad, times(own, perRoot), addX);
    },
  };
}
