/** What can be wrong with a message of gradients, and with what it is coded by. */
export type GradientErrorCode =
  | "truncated"
  | "bad-checksum"
  | "unknown-version"
  | "bad-header"
  | "other-layout"
  | "other-step"
  | "other-state"
  | "damaged"
  | "bad-control"
  | "not-finite"
  | "too-large"
  | "bad-message"
  | "bad-option"
  | "bad-mask";

/** A gradient that cannot be coded, or a message that cannot be read: what is wrong, where, and what to do about it. */
export class GradientError extends Error {
  override readonly name = "GradientError";
  readonly code: GradientErrorCode;
  readonly problem: string;
  /** One line: what to do. */
  readonly remedy: string;

  constructor(code: GradientErrorCode, problem: string, remedy: string, options?: ErrorOptions) {
    super(`${problem}: ${remedy}`, options);
    this.code = code;
    this.problem = problem;
    this.remedy = remedy;
  }
}

/** Read something of a worker: what is wrong with it says whose it is. @throws {GradientError} */
export function ofWorker(rank: number, read: () => void): void {
  try {
    read();
  } catch (cause) {
    if (!(cause instanceof GradientError)) throw cause;
    throw new GradientError(cause.code, `worker ${rank}: ${cause.problem}`, cause.remedy, { cause });
  }
}
