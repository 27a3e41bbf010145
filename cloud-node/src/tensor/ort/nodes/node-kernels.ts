import type { KernelName } from "../../kernels.ts";
import type { Address } from "../../tensor.ts";
import type { OnnxGraph } from "../onnx-graph.ts";
import type { Value } from "../onnx-model.ts";
import type { PlaceValues } from "../place-values.ts";

/** Kernels that write nodes for what they would compute: places as they are in a program, `undefined` for "none". */
export type NodeKernels<Names extends KernelName = KernelName> = {
  readonly [Name in Names]: (...args: never[]) => void;
};

/** What nodes are written into, and what stands in the arena's places. */
export interface NodeContext {
  readonly graph: OnnxGraph;
  readonly places: PlaceValues;
  /** What a place is left with by the run before; zero at first. What stands there at the end is handed on. */
  state(place: Address, shape: readonly number[]): Value;
  /** A value with what `draw` leaves out at 0, and the rest grown. */
  dropped(value: Value, draw: Address, rate: number): Value;
}
