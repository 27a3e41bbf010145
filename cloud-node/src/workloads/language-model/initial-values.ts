import { normalNumbers, uniformNumbers } from "../../tensor/random.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { ParameterSpec } from "./parameters.ts";

/** The numbers that a tensor begins with: those of a name and a seed are the same in every model and on every machine. */
export function initialValues({ name, shape, beginning }: ParameterSpec, seed: number): Float32Array {
  const count = sizeOf(shape);
  if (beginning.kind === "normal") return normalNumbers(count, beginning.deviation, seed, name);
  if (beginning.kind === "uniform") return uniformNumbers(count, beginning.limit, seed, name);
  return new Float32Array(count).fill(beginning.value);
}
