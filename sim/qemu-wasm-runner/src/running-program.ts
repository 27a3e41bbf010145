import { spawn } from "node:child_process";
import { open } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { type BoardName, findBoard } from "./board.ts";
import type { Firmware } from "./build.ts";
import { endWithThisProcess } from "./child-end.ts";
import { locateTool } from "./doctor.ts";
import { type EmulatorOptions, startEmulator } from "./emulator.ts";
import { RunnerError } from "./runner-error.ts";
import { type Target, targetOf } from "./target.ts";
import { startWatchdog } from "./watchdog.ts";

/** A program that has been started: bytes in, bytes out, and an end. */
export interface RunningProgram {
  readonly input: Writable;
  /** Ends after the program's last byte. */
  readonly output: Readable;
  readonly pid: number;
  /** Never rejects. */
  readonly ended: Promise<ProgramEnd>;
  /** End it now; nothing is left running, and no file. */
  end(): Promise<void>;
}

/** How a program ended. */
export interface ProgramEnd {
  /** null when a signal ended it. */
  readonly exitCode: number | null;
  /** What ended it, null when it ended by itself. */
  readonly signal: NodeJS.Signals | null;
  /** What QEMU said. */
  readonly errorText: string;
}

/** What can be started: firmware that was built here, or an ELF file that is there already. */
export type Startable = Pick<Firmware, "board" | "file" | "hasOwnProgram"> & Partial<Pick<Firmware, "moduleId">>;

/**
 * An ELF file of a board, however it was made: for `run`, `openPort` and `firmwareBinding`.
 *
 * @throws {RunnerError} `unknown-board`; `wrong-firmware` for the board `node`, which runs no programs
 */
export function elfProgram(file: string, board: BoardName): Startable {
  const { name } = findBoard(board);
  if (name === "node") throw new RunnerError("wrong-firmware", { board, has: "no program" });
  return { board: name, file, hasOwnProgram: true };
}

/** A built program's file and how it is run. @throws {RunnerError} `wrong-firmware` for one of another processor */
export async function programOf(firmware: Startable): Promise<{ file: string; target: Target }> {
  const { file, board } = firmware;
  if (file === null || board === "node") throw new RunnerError("wrong-firmware", { board, has: "no program" });
  const target = targetOf(board);
  if (target.elfMachine !== null) await expectMachine(file, target.elfMachine, board);
  return { file, target };
}

/**
 * Start what was built.
 *
 * @throws {RunnerError} `wrong-firmware`, `missing-tool`, `emulator-failed`, `timeout`
 */
export async function startProgram(firmware: Startable, options: EmulatorOptions): Promise<RunningProgram> {
  const { file, target } = await programOf(firmware);
  const { emulator } = target;
  if (emulator?.kind === "system") return startEmulator(emulator, file, options);
  return emulator === null ? startProcess(file, []) : startProcess(locateTool(emulator.tool), [file]);
}

function startProcess(command: string, args: readonly string[]): RunningProgram {
  const watchdog = startWatchdog();
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  endWithThisProcess(child, watchdog);
  const ended = new Promise<ProgramEnd>((resolve) => {
    child.on("close", (exitCode, signal) => resolve({ exitCode, signal, errorText: "" }));
    child.on("error", ({ message }) => resolve({ exitCode: null, signal: null, errorText: message }));
  });
  // The program may end while a request is under way: the answer that never comes says so.
  child.stdin.on("error", () => {});
  return {
    input: child.stdin,
    output: child.stdout,
    pid: child.pid ?? 0,
    ended,
    end: async () => {
      child.stdin.end();
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** @see Tool Interface Standard, Executable and Linking Format 1.2, "ELF Header": e_machine */
async function expectMachine(file: string, machine: number, board: string): Promise<void> {
  const handle = await open(file).catch((cause: unknown) => {
    throw new RunnerError("wrong-firmware", { file, problem: "cannot be read" }, { cause });
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(20), 0, 20, 0);
    const isElf = bytesRead === 20 && buffer.readUInt32BE(0) === 0x7f454c46;
    const found = isElf ? buffer.readUInt16LE(18) : "no ELF";
    if (found !== machine) throw new RunnerError("wrong-firmware", { file, board, machine: found, want: machine });
  } finally {
    await handle.close();
  }
}
