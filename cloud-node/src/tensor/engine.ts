import type { OptimizerStep } from "./optimizer.ts";
import type { Program } from "./program.ts";
import type { Tensor } from "./tensor.ts";

/** Names of the backends. */
export type BackendName = "js" | "wasm-strict" | "wasm-relaxed" | "ort" | "webgpu";

/**
 * What is kept for every parameter: its value, its gradient after `backward`, and the optimizer's two states:
 * AdamW's averages of the gradient and of its square; Muon uses the first alone.
 */
export type ParameterPart = "value" | "gradient" | "average" | "squareAverage";

/** Chance of a step: numbers that dropout leaves out follow from it and from their places. */
export interface DropoutDraw {
  readonly seed: number;
  readonly step: number;
}

/** Runs programs. */
export interface Backend {
  readonly name: BackendName;
  /**
   * Reserve the arena of a program; parameters and inputs are zero at first.
   *
   * @throws {TensorError} `too-large`; `no-relaxed-simd` where the host's WebAssembly lacks it; `no-onnxruntime` where it is not installed
   */
  load(program: Program): Promise<Engine>;
}

/** What a step of training did. */
export interface TrainOutcome {
  /** Before the update. */
  readonly loss: number;
  /** Of the gradients, before they were clipped; NaN where the loss is not finite. */
  readonly gradientNorm: number;
}

/**
 * One program with its arena. Nothing is allocated by a step. Devices answer later: what gives numbers back is a
 * promise, and everything happens in the order of calls.
 */
export interface Engine {
  readonly program: Program;
  /**
   * Copy a part of a parameter out.
   *
   * @param out  as many numbers as the parameter has; made when not given
   * @throws {TensorError} `unknown-name`, `shape-mismatch`, `no-gradient`, `closed`
   */
  get(name: string, part?: ParameterPart, out?: Float32Array): Promise<Float32Array>;
  /** Mirror of `get`. @throws {TensorError} as `get` */
  set(name: string, values: Float32Array, part?: ParameterPart): void;
  /**
   * Fill an input for all runs that follow.
   *
   * @param values  as many as the input has
   * @throws {TensorError} `unknown-name`, `shape-mismatch`, `closed`
   */
  input(name: string, values: Int32Array | Float32Array): void;
  /**
   * Leave out what `draw` says in all runs that follow; nothing where it is absent, as at first.
   *
   * @throws {TensorError} `closed`
   */
  setDropout(draw?: DropoutDraw): void;
  /** Run the program forward. @returns its output's first number: the loss */
  forward(): Promise<number>;
  /** Run forward and backward: every trained parameter has its gradient. @returns the loss */
  backward(): Promise<number>;
  /**
   * Update the parameters from their gradients.
   *
   * @returns the gradients' global norm before clipping; where it is not finite nothing was changed
   * @throws {TensorError} `unknown-name`, `bad-value`, `no-gradient`, `closed`
   */
  step(update: OptimizerStep): Promise<number>;
  /**
   * `backward` and `step` as one, for backends that do both without an answer in between. Where loss or norm is not
   * finite nothing was changed.
   *
   * @throws {TensorError} as `step`
   */
  train(update: OptimizerStep): Promise<TrainOutcome>;
  /** Copy a tensor of the last run out. Row by row where its rows have gaps. */
  read(tensor: Tensor, out?: Float32Array): Promise<Float32Array>;
  /** Give the arena back; the engine cannot be used afterwards. */
  close(): void;
}
