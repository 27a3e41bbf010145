import type { ParameterPart } from "./engine.ts";
import type { ProgramInput } from "./program.ts";
import { TensorError } from "./tensor-error.ts";

/** @throws {TensorError} `shape-mismatch` */
export function checkCount(what: string, have: number, need: number): void {
  if (have === need) return;
  throw new TensorError("shape-mismatch", `${have} numbers for ${what}, which has ${need}`, "give as many as it has");
}

/**
 * Kernels go where whole numbers say: those of an embedding, a cache or a row of logits must lie in it.
 *
 * @throws {TensorError} `bad-value`
 */
export function checkRange({ name, range }: ProgramInput, values: Int32Array | Float32Array): void {
  if (range === undefined) return;
  const at = values.findIndex((value) => !Number.isInteger(value) || value < range.from || value >= range.below);
  if (at < 0) return;
  const problem = `"${name}" holds ${values[at]} at ${at}`;
  throw new TensorError("bad-value", problem, `whole numbers from ${range.from} on, below ${range.below}`);
}

/** Targets that are not masked. */
export function countTargets(targets: ArrayLike<number>): number {
  let count = 0;
  for (let at = 0; at < targets.length; at++) if ((targets[at] ?? -1) >= 0) count++;
  return count;
}

export function unknownName(kind: string, name: string): TensorError {
  return new TensorError("unknown-name", `the program has no ${kind} "${name}"`, "use a name that it was built with");
}

export function noGradient(name: string, part: ParameterPart): TensorError {
  return new TensorError("no-gradient", `the ${part} of "${name}", which is not trained`, "ask for its value");
}

export function closedEngine(): TensorError {
  return new TensorError("closed", "the engine is closed", "load the program again");
}
