import { open as openFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBoard } from "./board.ts";
import { locateTool } from "./doctor.ts";
import { startEmulator } from "./emulator.ts";
import { makePrivateFolder } from "./private-folder.ts";
import { type ProcessResult, runProcess } from "./process.ts";
import { RunnerError } from "./runner-error.ts";
import { programOf, type Startable } from "./running-program.ts";
import type { Emulator } from "./target.ts";
import { type StopReason, stopReasonOf } from "./trap-reason.ts";

/** What a program gets. */
export interface RunOptions {
  /** Not for a machine without an operating system, which has no use for them. */
  readonly args?: readonly string[];
  /**
   * All of its input. On `host`, `aarch64` and `armhf` it is there, whole, before the program starts, and then ends. A
   * serial line never ends: there the program must know how much to read.
   */
  readonly input?: Uint8Array;
  /** Default 60,000. */
  readonly timeoutMs?: number;
  /** Count instructions (`board_instructions`), on a board that can; slower. */
  readonly counting?: boolean;
}

/** How a program ended and what it said. */
export interface RunResult extends ProcessResult {
  /** Why it was stopped, if it was: its exit code in words. Null when it ended by itself. */
  readonly trap: StopReason | null;
}

/**
 * Run a program of the caller's own to its end.
 *
 * @throws {RunnerError} `wrong-firmware` for a module without one (`open` it) or for one of another processor,
 *         `wrong-arguments`, `not-counting`, `missing-tool`, `emulator-failed`, `timeout`
 */
export async function run(firmware: Startable, options: RunOptions = {}): Promise<RunResult> {
  return runWith(firmware, options, []);
}

/** The same, with further arguments of QEMU. */
export async function runWith(
  firmware: Startable,
  options: RunOptions,
  extraArgs: readonly string[],
): Promise<RunResult> {
  const { hasOwnProgram, board } = firmware;
  if (!hasOwnProgram) throw new RunnerError("wrong-firmware", { board, use: "open" });
  const { file, target } = await programOf(firmware);
  if (options.counting === true && !findBoard(board).isCounting) throw new RunnerError("not-counting", { board });
  const { emulator } = target;
  if (emulator?.kind === "system") return told(await runEmulated(emulator, file, board, options, extraArgs));
  const [command, ...before] = emulator === null ? [file] : [locateTool(emulator.tool), file];
  return told(await runWithFile(command, [...before, ...(options.args ?? [])], options));
}

function told(result: ProcessResult): RunResult {
  return { ...result, trap: stopReasonOf(result.exitCode) };
}

async function runEmulated(
  emulator: Extract<Emulator, { kind: "system" }>,
  file: string,
  board: string,
  { args = [], input = new Uint8Array(), timeoutMs = 60_000, counting = false }: RunOptions,
  extraArgs: readonly string[],
): Promise<ProcessResult> {
  if (args.length > 0) throw new RunnerError("wrong-arguments", { board, takes: "no args", given: args.length });
  const program = await startEmulator(emulator, file, { isCounting: counting, extraArgs });
  const output: Buffer[] = [];
  const isRead = new Promise<void>((resolve) => {
    program.output.on("data", (chunk: Buffer) => output.push(chunk)).on("close", () => resolve());
  });
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    program.end();
  }, timeoutMs);
  program.input.write(input);
  const { exitCode, signal, errorText } = await program.ended;
  clearTimeout(late);
  await isRead;
  if (isLate) throw new RunnerError("timeout", { program: file, afterMs: timeoutMs });
  if (exitCode === null)
    throw new RunnerError("emulator-failed", {
      program: file,
      signal: signal ?? "none",
      said: errorText.split("\n")[0] ?? "",
    });
  return { exitCode, errorText, output: Buffer.concat(output) };
}

async function runWithFile(
  command: string,
  args: readonly string[],
  { input = new Uint8Array(), timeoutMs = 60_000 }: RunOptions,
): Promise<ProcessResult> {
  const folder = await makePrivateFolder(tmpdir(), "wasm-run-");
  const file = await openFile(join(folder.path, "input"), "w+");
  try {
    await file.write(input, 0, undefined, 0);
    const reader = await openFile(join(folder.path, "input"), "r");
    try {
      return await runProcess(command, args, { inputFile: reader.fd, timeoutMs, watchedFolder: folder.path });
    } finally {
      await reader.close();
    }
  } finally {
    await file.close();
    await folder.remove();
  }
}
