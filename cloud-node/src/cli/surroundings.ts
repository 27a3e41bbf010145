import type { Readable, Writable } from "node:stream";
import { type Clock, type RandomSource, systemClock, systemRandom } from "@lockstep/edge-sdk";
import { CommandError } from "./command-error.ts";

/** An output stream and whether a person is looking at it. */
export interface OutputStream extends Writable {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** An input stream that may be a keyboard. */
export interface InputStream extends Readable {
  readonly isTTY?: boolean | undefined;
  setRawMode?(isRaw: boolean): unknown;
}

/** Everything that a command takes from outside: only `cli` reads it, and hands on what is needed. */
export interface Surroundings {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly clock: Clock;
  readonly random: RandomSource;
  /**
   * Aborted by Ctrl-C, by an ordinary kill, and when nobody reads standard output any more; with a `CommandError` as its
   * reason where that cannot be written.
   */
  readonly interrupt: AbortSignal;
}

/** The real ones, and a function that lets go of them. */
export interface ProcessSurroundings extends Surroundings {
  release(): void;
}

/** Exit code of a program that was interrupted a second time, as a shell counts it: 128 + SIGINT. */
const EXIT_INTERRUPTED_TWICE = 130;

/**
 * The running process. The first SIGINT, SIGTERM or SIGHUP asks the command to end; a second SIGINT ends it at once.
 */
export function processSurroundings(): ProcessSurroundings {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  const interrupted = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED_TWICE);
    stop();
  };
  const outputFailed = (error: NodeJS.ErrnoException): void => {
    // `lockstep decode F | head` closes the pipe early: that is an ending, not a failure.
    controller.abort(error.code === "EPIPE" ? undefined : lostOutput(error));
  };
  const errorsFailed = (error: NodeJS.ErrnoException): void => {
    // Of any other failure nobody can be told: the exit code says how the command ended.
    if (error.code === "EPIPE") stop();
  };
  process.on("SIGINT", interrupted).on("SIGTERM", stop).on("SIGHUP", stop);
  process.stdout.on("error", outputFailed);
  process.stderr.on("error", errorsFailed);
  return {
    args: process.argv.slice(2),
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    clock: systemClock(),
    random: systemRandom(),
    interrupt: controller.signal,
    release: () => {
      process.off("SIGINT", interrupted).off("SIGTERM", stop).off("SIGHUP", stop);
    },
  };
}

function lostOutput(cause: Error): CommandError {
  return new CommandError("file", `standard output cannot be written (${cause.message})`, "make room there", { cause });
}
