import type { Address } from "../../tensor.ts";
import type { Value } from "../onnx-model.ts";
import type { NodeContext, NodeKernels } from "./node-kernels.ts";

type Chained = "relu2" | "softcap" | "swiglu";
type Names = "gelu" | "geluTanh" | Chained | `${Chained}Gradient`;

const TANH_SCALE = Math.sqrt(2 / Math.PI);
const TANH_CUBE = 0.044715;

/** Activations and their derivatives. What only a derivative needs is left out of a graph without one. */
export function activationNodes({ graph, places }: NodeContext): NodeKernels<Names> {
  const of = (operator: string) => (x: Value) => graph.node(operator, [x]);
  const [exponential, tanh, sigmoid, relu] = [of("Exp"), of("Tanh"), of("Sigmoid"), of("Relu")];
  const times = (a: Value, b: Value | number) =>
    graph.node("Mul", [a, typeof b === "number" ? graph.scalar(b) : graph.reshape(b, a.shape)]);
  const plus = (a: Value, b: Value | number) => graph.node("Add", [a, typeof b === "number" ? graph.scalar(b) : b]);
  /** scale · x + offset, in one pass, for what stays in 0 … 1. */
  const share = (x: Value, scale: number, offset: number) =>
    graph.node("HardSigmoid", [x], { attributes: { alpha: { float: scale }, beta: { float: offset } } });
  const write = (place: Address, value: Value) => places.contribute(place, value, 0);
  return {
    gelu(out: Address, slope: Address, x: Address, count: number) {
      const input = places.numbers(x, count);
      const below = share(graph.node("Erf", [times(input, Math.SQRT1_2)]), 0.5, 0.5);
      const density = exponential(times(times(input, -0.5), input));
      write(out, times(input, below));
      write(slope, plus(times(times(density, input), 1 / Math.sqrt(2 * Math.PI)), below));
    },
    geluTanh(out: Address, slope: Address, x: Address, count: number) {
      const input = places.numbers(x, count);
      const square = times(input, input);
      const argument = times(times(plus(times(square, TANH_CUBE), 1), input), TANH_SCALE);
      const below = share(tanh(argument), 0.5, 0.5);
      // The derivative of (1 + tanh)/2 is 2 · share · (1 - share).
      const steep = graph.node("Sub", [below, times(below, below)]);
      const chained = times(plus(times(square, 3 * TANH_CUBE), 1), 2 * TANH_SCALE);
      write(out, times(input, below));
      write(slope, plus(times(times(steep, chained), input), below));
    },
    relu2(out: Address, x: Address, count: number) {
      const positive = relu(places.numbers(x, count));
      write(out, times(positive, positive));
    },
    relu2Gradient(xGrad: Address, grad: Address, x: Address, count: number, add: number) {
      const positive = relu(places.numbers(x, count));
      places.contribute(xGrad, times(times(positive, 2), places.numbers(grad, count)), add);
    },
    softcap(out: Address, x: Address, count: number, cap: number) {
      write(out, times(tanh(times(places.numbers(x, count), 1 / cap)), cap));
    },
    softcapGradient(xGrad: Address, grad: Address, out: Address, count: number, cap: number, add: number) {
      const capped = times(places.numbers(out, count), 1 / cap);
      const slope = graph.node("Sub", [graph.scalar(1), times(capped, capped)]);
      places.contribute(xGrad, times(slope, places.numbers(grad, count)), add);
    },
    swiglu(out: Address, gate: Address, up: Address, count: number) {
      const input = places.numbers(gate, count);
      write(out, times(times(input, sigmoid(input)), places.numbers(up, count)));
    },
    swigluGradient(
      gateGrad: Address | undefined,
      upGrad: Address | undefined,
      grad: Address,
      gate: Address,
      up: Address,
      count: number,
      addGate: number,
      addUp: number,
    ) {
      const [input, from] = [places.numbers(gate, count), places.numbers(grad, count)];
      const open = sigmoid(input);
      const gated = times(input, open);
      if (upGrad !== undefined) places.contribute(upGrad, times(gated, from), addUp);
      if (gateGrad === undefined) return;
      // σ · (1 + g · (1 - σ)) = σ + gσ · (1 - σ)
      const slope = plus(times(gated, graph.node("Sub", [graph.scalar(1), open])), open);
      places.contribute(gateGrad, times(times(slope, from), places.numbers(up, count)), addGate);
    },
  };
}
