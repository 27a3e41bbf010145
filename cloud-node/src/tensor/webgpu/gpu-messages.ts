import type { TrainOutcome } from "../engine.ts";
import type { OptimizerStep } from "../optimizer.ts";
import type { Program } from "../program.ts";
import type { Pass } from "../shard-calls.ts";
import type { TensorErrorCode } from "../tensor-error.ts";
import type { ReadPlace } from "./device-arena.ts";
import type { DeviceSection } from "./dispatch.ts";

/** What the process with the graphics processor is asked; `engine` counts the programs that were loaded. */
export type GpuOrder =
  | { readonly kind: "open"; readonly isSoftware: boolean }
  | { readonly kind: "load"; readonly engine: number; readonly program: Program }
  | { readonly kind: "run"; readonly engine: number; readonly pass: Pass }
  | { readonly kind: "step" | "train"; readonly engine: number; readonly update: OptimizerStep }
  | { readonly kind: "read"; readonly engine: number; readonly place: ReadPlace }
  | WriteOrder
  | { readonly kind: "close"; readonly engine: number };

/** Has no answer, as `close`: what is wrong with it, the next order says. */
export interface WriteOrder {
  readonly kind: "write";
  readonly engine: number;
  readonly section: DeviceSection;
  readonly offset: number;
  readonly values: Float32Array | Int32Array;
}

/** `open`: the name of the device; `run` and `step`: a number. */
export type GpuValue = string | number | TrainOutcome | Float32Array | undefined;

export type GpuAnswer =
  | { readonly kind: "done"; readonly value: GpuValue }
  | { readonly kind: "refused"; readonly code: TensorErrorCode; readonly problem: string; readonly remedy: string };
