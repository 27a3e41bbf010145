import { RunnerError } from "./runner-error.ts";

/** What Node throws when the system refuses something to do with a file. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "code" in error;
}

/** A refusal by the system, told with the path that it is about. @param hint  what to do about it */
export function fileError(cause: unknown, path: string, hint: Readonly<Record<string, string>> = {}): unknown {
  if (!isSystemError(cause)) return cause;
  const facts = { path, problem: cause.code ?? "", doing: cause.syscall ?? "", ...hint };
  return new RunnerError("file-failed", facts, { cause });
}
