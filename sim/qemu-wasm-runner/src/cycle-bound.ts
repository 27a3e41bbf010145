import { createReadStream } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Firmware } from "./build.ts";
import { type CycleTable, cyclesOf, cycleTableOf } from "./cycle-table.ts";
import { type CodeRange, type Disassembly, readDisassembly } from "./disassembly.ts";
import { locateTool } from "./doctor.ts";
import { type Machine, openCalled } from "./machine.ts";
import { makePrivateFolder } from "./private-folder.ts";
import { runProcess } from "./process.ts";
import { RunnerError } from "./runner-error.ts";
import { programOf } from "./running-program.ts";

/** What one call takes. */
export interface CallCost {
  readonly function: string;
  /** Executed, exactly. */
  readonly instructions: number;
  /** At most, by the table of the board's core: a bound, and not silicon. */
  readonly cycles: number;
}

/** QEMU logs each instruction before it runs it, and takes one back that it did not run after all. */
const TRACE = ["-singlestep", "-d", "exec,nochain"];
const EXECUTED = /^Trace \d+: \S+ \[[0-9a-f]+\/([0-9a-f]+)\//;
const TAKEN_BACK = "Stopped execution";

/**
 * Bound the cycles of calls: every instruction is traced, and costs the most that the table of the core gives it
 * (`cycle-table.ts`). About 80 bytes of log for each instruction: keep the session short.
 *
 * @param session  calls the module; what it does beside calls is not counted
 * @returns the cost of each call that did not trap, in order
 * @throws {RunnerError} `not-counting` for a board without a table, and as `open`
 */
export async function cycleBound(
  firmware: Firmware,
  session: (machine: Machine) => Promise<void>,
  { timeoutMs = 60_000 } = {},
): Promise<readonly CallCost[]> {
  const { board, hasOwnProgram } = firmware;
  const table = cycleTableOf(board);
  if (table === undefined) throw new RunnerError("not-counting", { board });
  if (hasOwnProgram) throw new RunnerError("wrong-firmware", { board, want: "a module that is called" });
  const code = await disassemble(firmware);
  const folder = await makePrivateFolder(tmpdir(), "wasm-trace-");
  try {
    const log = join(folder.path, "trace");
    const machine = await openCalled(firmware, { timeoutMs, counting: true }, [...TRACE, "-D", log]);
    const called: string[] = [];
    try {
      await session(recordCalls(machine, called));
      await machine.finish();
    } finally {
      await machine.close();
    }
    const costs = await readCosts(log, code, table);
    return costs.map((cost, place) => ({ function: called[place] ?? "", ...cost }));
  } finally {
    await folder.remove();
  }
}

async function disassemble(firmware: Firmware): Promise<Disassembly> {
  const { file, target } = await programOf(firmware);
  const objdump = locateTool(target.compiler).replace(/gcc$/, "objdump");
  const { exitCode, output, errorText } = await runProcess(objdump, ["-d", file]);
  if (exitCode !== 0) throw new RunnerError("compile-failed", { tool: objdump, said: errorText.trim() });
  return readDisassembly(output.toString());
}

/** The machine, with the names of its calls kept once they have ended. */
function recordCalls(machine: Machine, called: string[]): Machine {
  const recorded: Pick<Machine, "call" | "measure"> = {
    call: async (name, ...args) => {
      const results = await machine.call(name, ...args);
      called.push(name);
      return results;
    },
    measure: async (name, ...args) => {
      const measured = await machine.measure(name, ...args);
      called.push(name);
      return measured;
    },
  };
  return {
    ...recorded,
    stackHighWater: () => machine.stackHighWater(),
    global: (name) => machine.global(name),
    read: (at, length) => machine.read(at, length),
    write: (at, bytes) => machine.write(at, bytes),
    memoryBytes: () => machine.memoryBytes(),
    close: () => machine.close(),
  };
}

async function readCosts(log: string, code: Disassembly, table: CycleTable): Promise<Omit<CallCost, "function">[]> {
  const calls = new TracedCalls(code, table);
  let last: number | undefined;
  for await (const line of createInterface({ input: createReadStream(log) })) {
    const [, address] = EXECUTED.exec(line) ?? [];
    if (address === undefined) {
      if (line.startsWith(TAKEN_BACK)) last = undefined;
      continue;
    }
    if (last !== undefined) calls.step(last);
    last = Number.parseInt(address, 16);
  }
  return calls.costs;
}

/**
 * Adds up what is executed from the return of `served_before` on until `served_after` is called, both by `served_call`:
 *
 *     idle ──served_before──▶ before ──in served_call──▶ counting ──served_after──▶ idle
 *
 * A trap leaves `counting` by a jump; the next `served_before` then drops what was added up.
 */
class TracedCalls {
  readonly costs: { instructions: number; cycles: number }[] = [];
  readonly #code: Disassembly;
  readonly #table: CycleTable;
  #state: "idle" | "before" | "counting" = "idle";
  #sum = { instructions: 0, cycles: 0 };
  /** The instruction whose successor is awaited. */
  #pending: number | undefined;

  constructor(code: Disassembly, table: CycleTable) {
    this.#code = code;
    this.#table = table;
  }

  /** The instruction at this address is executed. */
  step(address: number): void {
    const { functions } = this.#code;
    if (isIn(address, functions.get("board_tick"))) return;
    if (address === functions.get("served_before")?.start) this.#begin();
    else if (this.#state === "before" && isIn(address, functions.get("served_call"))) this.#state = "counting";
    if (this.#state !== "counting") return;
    if (address === functions.get("served_after")?.start) {
      // The call of served_after itself is nobody's: it is pending, and dropped.
      this.costs.push(this.#sum);
      this.#state = "idle";
      return;
    }
    if (this.#pending !== undefined) this.#add(this.#pending, address);
    this.#pending = address;
  }

  #begin(): void {
    this.#state = "before";
    this.#sum = { instructions: 0, cycles: 0 };
    this.#pending = undefined;
  }

  #add(address: number, next: number): void {
    const instruction = this.#code.instructions.get(address);
    if (instruction === undefined) throw new RunnerError("bad-trace", { address: `0x${address.toString(16)}` });
    const { mnemonic, registers, bytes } = instruction;
    this.#sum.instructions++;
    this.#sum.cycles += cyclesOf(this.#table, mnemonic, registers, next !== address + bytes);
  }
}

function isIn(address: number, range: CodeRange | undefined): boolean {
  return range !== undefined && address >= range.start && address < range.end;
}
