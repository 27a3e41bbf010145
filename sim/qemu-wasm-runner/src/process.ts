import { spawn } from "node:child_process";
import { endWithThisProcess } from "./child-end.ts";
import { RunnerError } from "./runner-error.ts";
import { startWatchdog } from "./watchdog.ts";

/** What a process left behind. */
export interface ProcessResult {
  /** null when a signal ended it. */
  readonly exitCode: number | null;
  readonly output: Buffer;
  readonly errorText: string;
}

/** How a process is started. */
export interface ProcessOptions {
  /** An open file for its standard input; without it there is none. */
  readonly inputFile?: number;
  readonly timeoutMs?: number;
  /** May go on for ever: when this process is killed, it is ended, and this folder removed. */
  readonly watchedFolder?: string;
}

/**
 * Run a program to its end, without a shell.
 *
 * @throws {RunnerError} `missing-tool` when there is no such program, `timeout` when it was ended for that
 */
export function runProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  return new Promise((resolve, reject) => {
    const { watchedFolder } = options;
    const watchdog = watchedFolder === undefined ? undefined : startWatchdog(watchedFolder);
    const child = spawn(command, args, { stdio: [options.inputFile ?? "ignore", "pipe", "pipe"] });
    endWithThisProcess(child, watchdog);
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    let isLate = false;
    const late =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            isLate = true;
            child.kill("SIGKILL");
          }, options.timeoutMs);
    child.stdout?.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => errors.push(chunk));
    child.on("error", (cause) => {
      clearTimeout(late);
      reject(new RunnerError("missing-tool", { tool: command }, { cause }));
    });
    child.on("close", (exitCode) => {
      clearTimeout(late);
      if (isLate) reject(new RunnerError("timeout", { program: command, afterMs: options.timeoutMs ?? 0 }));
      else resolve({ exitCode, output: Buffer.concat(output), errorText: Buffer.concat(errors).toString() });
    });
  });
}
