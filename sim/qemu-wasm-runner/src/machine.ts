import type { Firmware } from "./build.ts";
import { CalledMachine } from "./called-machine.ts";
import { NodeMachine } from "./node-machine.ts";
import { RunnerError } from "./runner-error.ts";
import { startProgram } from "./running-program.ts";

/** An i32 as a number, -2^31..2^31-1; an i64 as a bigint, -2^63..2^63-1. */
export type WasmInteger = number | bigint;

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
 * @param timeoutMs  longest wait for one answer, default 10,000
 * @throws {RunnerError} `trap` when the module stops while it is instantiated, `wrong-firmware` for a program of the
 *         caller's own
 */
export async function open(firmware: Firmware, { timeoutMs = 10_000, counting = false } = {}): Promise<Machine> {
  if (firmware.hasOwnProgram) throw new RunnerError("wrong-firmware", { board: firmware.board, use: "run" });
  if (firmware.file === null) return NodeMachine.start(firmware.wasm, firmware.shape);
  const program = await startProgram(firmware, { isCounting: counting });
  return CalledMachine.start(program, firmware.shape, timeoutMs);
}
