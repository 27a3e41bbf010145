import { mkdtemp, open as openFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Firmware } from "./build.ts";
import { type ProcessResult, runProcess } from "./process.ts";
import { RunnerError } from "./runner-error.ts";

/** What a program gets. */
export interface RunOptions {
  readonly args?: readonly string[];
  /** All of its standard input: it is there, whole, before the program starts. */
  readonly input?: Uint8Array;
  /** Default 60,000. */
  readonly timeoutMs?: number;
}

/**
 * Run a program of the caller's own to its end.
 *
 * @throws {RunnerError} `wrong-firmware` for a module without one (`open` it), `timeout`
 */
export async function run(firmware: Firmware, options: RunOptions = {}): Promise<ProcessResult> {
  const { file, hasOwnProgram, board } = firmware;
  if (!hasOwnProgram || file === null) throw new RunnerError("wrong-firmware", { board, use: "open" });
  const folder = await mkdtemp(join(tmpdir(), "wasm-run-"));
  const input = await openFile(join(folder, "input"), "w+");
  try {
    await input.write(options.input ?? new Uint8Array(), 0, undefined, 0);
    const reader = await openFile(join(folder, "input"), "r");
    try {
      return await runProcess(file, options.args ?? [], {
        inputFile: reader.fd,
        timeoutMs: options.timeoutMs ?? 60_000,
      });
    } finally {
      await reader.close();
    }
  } finally {
    await input.close();
    await rm(folder, { recursive: true, force: true });
  }
}
