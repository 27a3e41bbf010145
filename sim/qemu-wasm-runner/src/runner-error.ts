/** What can go wrong between a module and its run. */
export type RunnerErrorCode =
  | "unknown-board"
  | "missing-tool"
  | "bad-module"
  | "not-integer-only"
  | "has-imports"
  | "compile-failed"
  | "no-such-export"
  | "wrong-arguments"
  | "out-of-bounds"
  | "trap"
  | "timeout"
  | "ended"
  | "wrong-firmware"
  | "not-counting"
  | "socket-path-too-long"
  | "emulator-failed"
  | "port-closed"
  | "bad-trace"
  | "file-failed"
  | "usage";

/** A module that cannot be built or run, with the facts that say why. */
export class RunnerError extends Error {
  override readonly name = "RunnerError";
  readonly code: RunnerErrorCode;
  readonly facts: Readonly<Record<string, string | number>>;

  /** @param facts  value, limit and place, as far as the code has them */
  constructor(code: RunnerErrorCode, facts: Readonly<Record<string, string | number>> = {}, options?: ErrorOptions) {
    const told = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
    super(`wasm runner: ${[code, ...told].join(", ")}`, options);
    this.code = code;
    this.facts = facts;
  }
}
