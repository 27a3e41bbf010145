/** What can be wrong with a text, a configuration, a checkpoint, a prompt and a run. */
export type LanguageModelErrorCode =
  | "empty-text"
  | "text-too-short"
  | "text-too-long"
  | "not-utf8"
  | "unknown-character"
  | "bad-tokenizer"
  | "bad-config"
  | "bad-safetensors"
  | "truncated"
  | "no-checkpoint"
  | "foreign-checkpoint"
  | "damaged-checkpoint"
  | "other-run"
  | "prompt-too-long"
  | "loss-not-finite"
  | "logits-not-finite"
  | "no-room";

/** A language model that cannot be trained or asked as things are: what is wrong, where, and what to do about it. */
export class LanguageModelError extends Error {
  override readonly name = "LanguageModelError";
  readonly code: LanguageModelErrorCode;
  readonly problem: string;
  /** One line: what to do. */
  readonly remedy: string;

  constructor(code: LanguageModelErrorCode, problem: string, remedy: string, options?: ErrorOptions) {
    super(`${problem}: ${remedy}`, options);
    this.code = code;
    this.problem = problem;
    this.remedy = remedy;
  }
}
