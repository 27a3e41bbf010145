/** What can be wrong with patterns, data sets, a model's folder, an adapter, and what is asked of them. */
export type LoraErrorCode =
  | "bad-pattern"
  | "near-duplicate"
  | "too-few-patterns"
  | "bad-dataset"
  | "leaked-prompt"
  | "bad-result"
  | "bad-model"
  | "unsupported-model"
  | "bad-template"
  | "special-in-text"
  | "bad-adapter"
  | "unknown-adapter"
  | "bad-option"
  | "other-run"
  | "folder-taken"
  | "no-examples"
  | "example-too-long"
  | "prompt-too-long"
  | "bad-checkpoint"
  | "loss-not-finite";

/** Patterns, a model or an adapter that cannot be taken as they are: what is wrong, where, and what to do about it. */
export class LoraError extends Error {
  override readonly name = "LoraError";
  readonly code: LoraErrorCode;
  readonly problem: string;
  /** One line: what to do. */
  readonly remedy: string;

  /** @param problem  with its place: `facts.yaml:12: …` */
  constructor(code: LoraErrorCode, problem: string, remedy: string, options?: ErrorOptions) {
    super(`${problem}: ${remedy}`, options);
    this.code = code;
    this.problem = problem;
    this.remedy = remedy;
  }
}
