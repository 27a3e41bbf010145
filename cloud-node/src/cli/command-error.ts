/**
 * Why a command ended without doing what was asked. `usage` codes end with exit code 2, all others with 1.
 */
export type CommandErrorCode =
  | "usage"
  | "interrupted"
  | "file"
  | "port-in-use"
  | "not-reachable"
  | "outside-bound"
  | "expectation-failed"
  | "refused"
  | "missing-part";

/** Exit codes of every command. */
export const EXIT_DONE = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

/** The one line that a person reads when a command fails: what is wrong, and what to do about it. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code: CommandErrorCode;

  /**
   * @param problem  what is wrong, with value and place
   * @param remedy  what to do, as an imperative; "" where the problem says it all
   */
  constructor(code: CommandErrorCode, problem: string, remedy: string, options?: ErrorOptions) {
    super(remedy === "" ? problem : `${problem}: ${remedy}`, options);
    this.code = code;
  }

  get exitCode(): number {
    return this.code === "usage" ? EXIT_USAGE : EXIT_FAILED;
  }
}
