import { findBoard } from "./board.ts";
import type { Firmware } from "./build.ts";
import { CalledMachine } from "./called-machine.ts";
import { NodeMachine } from "./node-machine.ts";
import { RunnerError } from "./runner-error.ts";
import { startProgram } from "./running-program.ts";

/** An i32 as a number, -2^31..2^31-1; an i64 as a bigint, -2^63..2^63-1. */
export type WasmInteger = number | bigint;

/** What a counted call gave. */
export interface Measurement {
  readonly results: readonly WasmInteger[];
  /** Executed by the processor, exactly. */
  readonly instructions: number;
}

/** How a machine is started. */
export interface OpenOptions {
  /** Longest wait for one answer, default 10,000. After a timeout the machine is closed. */
  readonly timeoutMs?: number;
  /** Count instructions, on a board that can: `measure` needs it. Slower. */
  readonly counting?: boolean;
}

/** A module that runs on a board and can be called. One call at a time takes effect, in the order of asking. */
export interface Machine {
  /**
   * Call an exported function.
   *
   * @param args  an i32 may be given signed or unsigned
   * @returns its results, as many as it has
   * @throws {RunnerError} `no-such-export`, `wrong-arguments`, `trap` (with the reason; the module may be called on),
   *         `ended` when the program is gone
   */
  call(name: string, ...args: readonly WasmInteger[]): Promise<readonly WasmInteger[]>;

  /**
   * Call an exported function and count: its instructions, from its call to its return, those of the clock's interrupts
   * left out. The same module with the same state gives the same count, every time.
   *
   * @throws {RunnerError} as `call`; `not-counting` on a board that cannot, and on one that was opened without `counting`
   */
  measure(name: string, ...args: readonly WasmInteger[]): Promise<Measurement>;

  /**
   * Most bytes of stack that were in use at once since the start, the call server's own among them.
   *
   * @throws {RunnerError} `not-counting` on a board with an operating system, `ended`
   */
  stackHighWater(): Promise<number>;

  /** The value of an exported global. @throws {RunnerError} `no-such-export`, `ended` */
  global(name: string): Promise<WasmInteger>;

  /** A copy of the exported memory's bytes. @throws {RunnerError} `out-of-bounds`, `ended` */
  read(at: number, length: number): Promise<Uint8Array>;

  /** Write into the exported memory. @throws {RunnerError} `out-of-bounds`, `ended` */
  write(at: number, bytes: Uint8Array): Promise<void>;

  /** Bytes of the exported memory, 0 without one. */
  memoryBytes(): Promise<number>;

  /** End it; nothing is left running. */
  close(): Promise<void>;
}

/**
 * Start what was built, to call it.
 *
 * @throws {RunnerError} `trap` when the module stops while it is instantiated, `wrong-firmware` for a program of the
 *         caller's own or of another processor, `not-counting`, `missing-tool`, `emulator-failed`, `timeout`
 */
export async function open(firmware: Firmware, options: OpenOptions = {}): Promise<Machine> {
  const { board, file, wasm, shape, hasOwnProgram } = firmware;
  if (hasOwnProgram) throw new RunnerError("wrong-firmware", { board, use: "run" });
  if (options.counting === true && !findBoard(board).isCounting) throw new RunnerError("not-counting", { board });
  if (file === null) return NodeMachine.start(wasm, shape);
  return openCalled(firmware, options);
}

/** The same for a board that runs programs. @param extraArgs  further arguments of QEMU */
export async function openCalled(
  firmware: Firmware,
  { timeoutMs = 10_000, counting = false }: OpenOptions,
  extraArgs: readonly string[] = [],
): Promise<CalledMachine> {
  const { board, shape } = firmware;
  const program = await startProgram(firmware, { isCounting: counting, extraArgs });
  return CalledMachine.start(program, shape, {
    board,
    timeoutMs,
    isCounting: counting,
    hasPaintedStack: findBoard(board).isCounting,
  });
}
