import type { Address } from "../../tensor.ts";
import { run } from "../place-values.ts";
import type { NodeContext, NodeKernels } from "./node-kernels.ts";

/** Dropout, by masks that are inputs of the graph. */
export function dropoutNodes({ graph, places, dropped }: NodeContext): NodeKernels<"dropout"> {
  return {
    dropout(
      out: Address,
      x: Address,
      residual: Address | undefined,
      draw: Address,
      count: number,
      rate: number,
      add: number,
    ) {
      const left = dropped(places.numbers(x, count), draw, rate);
      if (residual === undefined) places.contribute(out, left, add);
      else {
        const base = graph.reshape(places.numbers(residual, count), left.shape);
        places.write(out, graph.node("Add", [left, base]), run(count));
      }
    },
  };
}
