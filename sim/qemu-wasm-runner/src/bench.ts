import { type BuildOptions, build, type Firmware } from "./build.ts";
import { type CallCost, cycleBound } from "./cycle-bound.ts";
import { type Machine, type OpenOptions, open } from "./machine.ts";
import type { PartSizes } from "./map-sizes.ts";
import type { ModuleCall } from "./module-call.ts";
import { RunnerError } from "./runner-error.ts";

/** What must not be exceeded; what is left out may. */
export interface Budgets {
  /** Of the module and what it stands on. */
  readonly flashBytes?: number;
  /** Of the same, its memory, and the stack. */
  readonly ramBytes?: number;
  /** Of any one call. */
  readonly instructions?: number;
  /** Of any one call. */
  readonly cycles?: number;
}

/** What is measured, and how the module is built for it; a program of the caller's own cannot be. */
export interface BenchOptions extends Omit<BuildOptions, "program"> {
  /** Calls in order; or what makes them, with memory written before. */
  readonly calls: readonly ModuleCall[] | ((machine: Machine) => Promise<void>);
  readonly budgets?: Budgets;
  /** Longest wait for one answer in milliseconds; default 10,000, and 60,000 where every instruction is traced. */
  readonly timeoutMs?: number;
}

/** One line of the table: what was measured beside what it may be. */
export interface BudgetRow {
  readonly name: keyof Budgets;
  readonly value: number;
  readonly limit: number | null;
  readonly isKept: boolean;
}

/** What a module takes on a board. */
export interface BenchReport {
  readonly board: Firmware["board"];
  readonly moduleId: string;
  /** Code, constants and start values of the module and of what it stands on: not the board, not the program around. */
  readonly flashBytes: number;
  /** Memory of the same, and `stackBytes`. */
  readonly ramBytes: number;
  /** Lent to the module, its instance and its table. */
  readonly moduleRamBytes: number;
  /** Most stack in use at once. */
  readonly stackBytes: number;
  readonly calls: readonly CallCost[];
  readonly instructionsMax: number;
  readonly instructionsMean: number;
  /** A bound by a table, and not silicon. */
  readonly cyclesMax: number;
  readonly budgets: readonly BudgetRow[];
  /** No budget is exceeded. */
  readonly isKept: boolean;
}

/**
 * Measure a module on a board and hold it against budgets.
 *
 * @throws {RunnerError} `not-counting` for a board that cannot count, `wrong-arguments` without a call, `trap`, and as
 *         `build` and `open`
 */
export async function bench(wasm: Uint8Array, options: BenchOptions): Promise<BenchReport> {
  const { calls, budgets = {}, timeoutMs, ...how } = options;
  const waiting = timeoutMs === undefined ? {} : { timeoutMs };
  const session = typeof calls === "function" ? calls : (machine: Machine) => callAll(machine, calls);
  const firmware = await build(wasm, how);
  const costs = await cycleBound(firmware, session, waiting);
  if (costs.length === 0) throw new RunnerError("wrong-arguments", { bench: "needs at least one call" });
  const stackBytes = await stackOf(firmware, session, waiting);
  const { module, runtime } = firmware.sizes?.parts ?? {};
  if (module === undefined || runtime === undefined) throw new RunnerError("compile-failed", { missing: "linker map" });
  const instructions = costs.map((cost) => cost.instructions);
  const measured = {
    flashBytes: flashOf(module) + flashOf(runtime),
    ramBytes: ramOf(module) + ramOf(runtime) + stackBytes,
    instructions: Math.max(...instructions),
    cycles: Math.max(...costs.map(({ cycles }) => cycles)),
  };
  const rows = (["flashBytes", "ramBytes", "instructions", "cycles"] as const).map((name): BudgetRow => {
    const limit = budgets[name] ?? null;
    return { name, value: measured[name], limit, isKept: limit === null || measured[name] <= limit };
  });
  return {
    board: firmware.board,
    moduleId: firmware.moduleId,
    flashBytes: measured.flashBytes,
    ramBytes: measured.ramBytes,
    moduleRamBytes: ramOf(module),
    stackBytes,
    calls: costs,
    instructionsMax: measured.instructions,
    instructionsMean: instructions.reduce((sum, count) => sum + count, 0) / instructions.length,
    cyclesMax: measured.cycles,
    budgets: rows,
    isKept: rows.every(({ isKept }) => isKept),
  };
}

async function callAll(machine: Machine, calls: readonly ModuleCall[]): Promise<void> {
  for (const call of calls) await machine.call(call.function, ...call.args);
}

async function stackOf(
  firmware: Firmware,
  session: (machine: Machine) => Promise<void>,
  waiting: OpenOptions,
): Promise<number> {
  const machine = await open(firmware, waiting);
  try {
    await session(machine);
    return await machine.stackHighWater();
  } finally {
    await machine.close();
  }
}

function flashOf({ codeBytes, constantBytes, dataBytes }: PartSizes): number {
  return codeBytes + constantBytes + dataBytes;
}

function ramOf({ dataBytes, zeroedBytes }: PartSizes): number {
  return dataBytes + zeroedBytes;
}
