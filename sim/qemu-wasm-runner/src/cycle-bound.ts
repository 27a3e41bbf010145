import { createReadStream } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
const EXECUTED = "Trace ";
const TAKEN_BACK = "Stopped execution";
/** A line is `Trace 0: ADDRESS [FLAGS/PC/…] NAME`; the program counter has eight digits. */
const PC_DIGITS = 8;
/** Of a function that the board does not have. */
const NOWHERE: CodeRange = { start: -1, end: -1 };
const CHUNK_BYTES = 2 ** 20;

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
  let rest = "";
  for await (const chunk of createReadStream(log, { encoding: "latin1", highWaterMark: CHUNK_BYTES })) {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith(EXECUTED)) {
        if (last !== undefined) calls.step(last);
        const pc = line.indexOf("/") + 1;
        last = Number.parseInt(line.slice(pc, pc + PC_DIGITS), 16);
      } else if (line.startsWith(TAKEN_BACK)) last = undefined;
    }
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
  readonly #instructions: Disassembly["instructions"];
  readonly #tick: CodeRange;
  readonly #server: CodeRange;
  readonly #before: number;
  readonly #after: number;
  readonly #table: CycleTable;
  #state: "idle" | "before" | "counting" = "idle";
  #sum = { instructions: 0, cycles: 0 };
  /** The instruction whose successor is awaited. */
  #pending: number | undefined;

  constructor(code: Disassembly, table: CycleTable) {
    const rangeOf = (name: string) => code.functions.get(name) ?? NOWHERE;
    this.#instructions = code.instructions;
    this.#tick = rangeOf("board_tick");
    this.#server = rangeOf("served_call");
    this.#before = rangeOf("served_before").start;
    this.#after = rangeOf("served_after").start;
    this.#table = table;
  }

  /** The instruction at this address is executed. */
  step(address: number): void {
    if (isIn(address, this.#tick)) return;
    if (address === this.#before) this.#begin();
    else if (this.#state === "before" && isIn(address, this.#server)) this.#state = "counting";
    if (this.#state !== "counting") return;
    if (address === this.#after) {
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
    const instruction = this.#instructions.get(address);
    if (instruction === undefined) throw new RunnerError("bad-trace", { address: `0x${address.toString(16)}` });
    const { mnemonic, registers, bytes } = instruction;
    this.#sum.instructions++;
    this.#sum.cycles += cyclesOf(this.#table, mnemonic, registers, next !== address + bytes);
  }
}

function isIn(address: number, range: CodeRange): boolean {
  return address >= range.start && address < range.end;
}
