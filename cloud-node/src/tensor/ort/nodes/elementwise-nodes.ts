import type { Address } from "../../tensor.ts";
import { run } from "../place-values.ts";
import type { NodeContext, NodeKernels } from "./node-kernels.ts";

type Names = "fill" | "copy" | "scale" | "add" | "multiply" | "columnSums";

/** Arithmetic number by number. */
export function elementwiseNodes({ graph, places }: NodeContext): NodeKernels<Names> {
  return {
    fill(out: Address, rows: number, width: number, stride: number, number: number) {
      const filled = graph.node("Expand", [graph.scalar(number), graph.integers([rows, width])], {
        shape: [rows, width],
      });
      places.write(out, filled, { rows, width, stride });
    },
    copy(out: Address, x: Address, count: number, add: number) {
      places.contribute(out, places.numbers(x, count), add);
    },
    scale(out: Address, x: Address, count: number, factor: number, add: number) {
      places.contribute(out, graph.node("Mul", [places.numbers(x, count), graph.scalar(factor)]), add);
    },
    add(out: Address, a: Address, b: Address, count: number, period: number) {
      const whole = graph.reshape(places.numbers(a, count), [count / period, period]);
      const repeated = graph.reshape(places.numbers(b, period), [1, period]);
      places.write(out, graph.node("Add", [whole, repeated]), run(count));
    },
    multiply(out: Address, a: Address, b: Address, count: number, add: number) {
      const first = places.numbers(a, count);
      const second = graph.reshape(places.numbers(b, count), first.shape);
      places.contribute(out, graph.node("Mul", [first, second]), add);
    },
    columnSums(out: Address, x: Address, rows: number, columns: number, add: number) {
      const matrix = places.read(x, { rows, width: columns });
      const axes = graph.integers([0]);
      const sums = graph.node("ReduceSum", [matrix, axes], { shape: [columns], attributes: { keepdims: 0 } });
      places.contribute(out, sums, add);
    },
  };
}
