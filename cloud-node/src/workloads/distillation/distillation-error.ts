/** What can be wrong with a run of the distillation, with what it is given, and with what it left. */
export type DistillationErrorCode =
  | "bad-config"
  | "bad-registry"
  | "bad-examples"
  | "other-vocabulary"
  | "teacher-missing"
  | "teacher-too-weak"
  | "bad-student"
  | "bad-profile"
  | "bad-bundle"
  | "bad-evidence"
  | "bad-signature"
  | "changed-file"
  | "changed-output"
  | "run-busy"
  | "memory-limit"
  | "over-budget"
  | "not-isolated"
  | "gate-failed"
  | "not-confirmed"
  | "loss-not-finite";

/** Teachers, a student, a run or a bundle that cannot be taken as they are: what is wrong, where, and what to do about it. */
export class DistillationError extends Error {
  override readonly name = "DistillationError";
  readonly code: DistillationErrorCode;
  readonly problem: string;
  /** One line: what to do. */
  readonly remedy: string;

  /** @param problem  with its place: `teachers.csv:3:14: …` */
  constructor(code: DistillationErrorCode, problem: string, remedy: string, options?: ErrorOptions) {
    super(`${problem}: ${remedy}`, options);
    this.code = code;
    this.problem = problem;
    this.remedy = remedy;
  }
}
