/** What can be wrong with a program of tensors, or with what is given to it. */
export type TensorErrorCode =
  | "shape-mismatch"
  | "name-taken"
  | "unknown-name"
  | "not-contiguous"
  | "no-gradient"
  | "bad-value"
  | "too-large"
  | "no-relaxed-simd"
  | "no-onnxruntime"
  | "onnxruntime-failed"
  | "not-kept"
  | "no-device"
  | "device-lost"
  | "closed"
  | "thread-failed";

/** Something that the tensor engine cannot do: what is wrong, and what to do about it. */
export class TensorError extends Error {
  override readonly name = "TensorError";
  readonly code: TensorErrorCode;
  readonly problem: string;
  /** One line: what to do. */
  readonly remedy: string;

  constructor(code: TensorErrorCode, problem: string, remedy: string, options?: ErrorOptions) {
    super(`tensor: ${problem}: ${remedy}`, options);
    this.code = code;
    this.problem = problem;
    this.remedy = remedy;
  }
}
