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
import { type RunOptions, runWith } from "./run.ts";
import { RunnerError } from "./runner-error.ts";
import { programOf } from "./running-program.ts";

/** What one call takes. */
export interface CallCost extends PieceCost {
  readonly function: string;
}

/** What a piece of a program takes. */
export interface PieceCost {
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
    const server = code.functions.get("served_call") ?? NOWHERE;
    const isWithin = (address: number) => isIn(address, server);
    const costs = await readCosts(log, code, table, { start: "served_before", isWithin, end: "served_after" });
    return costs.map((cost, place) => ({ function: called[place] ?? "", ...cost }));
  } finally {
    await folder.remove();
  }
}

/** Where in a program of the caller's own a piece begins and ends that is to be bounded; names of C functions. */
export interface TraceMarks {
  /** It begins when the last of these has returned. */
  readonly begins: readonly string[];
  /** It ends when this one is called. */
  readonly end: string;
}

/**
 * Bound the cycles of pieces of a program of the caller's own, as `cycleBound` does for calls. The program is traced from
 * its start: keep the run short.
 *
 * @returns the cost of each piece, in order
 * @throws {RunnerError} `not-counting` for a board without a table, `bad-trace` for a mark that the program has not or
 *         when it did not end with 0, and as `run`
 */
export async function cycleBoundOfRun(
  firmware: Firmware,
  { begins, end }: TraceMarks,
  options: RunOptions = {},
): Promise<readonly PieceCost[]> {
  const table = cycleTableOf(firmware.board);
  if (table === undefined) throw new RunnerError("not-counting", { board: firmware.board });
  const code = await disassemble(firmware);
  for (const mark of [...begins, end]) if (!code.functions.has(mark)) throw new RunnerError("bad-trace", { mark });
  const folder = await makePrivateFolder(tmpdir(), "wasm-trace-");
  try {
    const log = join(folder.path, "trace");
    const { exitCode } = await runWith(firmware, { ...options, counting: true }, [...TRACE, "-D", log]);
    if (exitCode !== 0) throw new RunnerError("bad-trace", { exitCode: exitCode ?? "none" });
    const [start = ""] = begins;
    const ranges = begins.map((name) => code.functions.get(name) ?? NOWHERE);
    const isWithin = (address: number) => !ranges.some((range) => isIn(address, range));
    return await readCosts(log, code, table, { start, isWithin, end });
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

async function readCosts(log: string, code: Disassembly, table: CycleTable, marks: PieceMarks): Promise<PieceCost[]> {
  const calls = new TracedPieces(code, table, marks);
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

/** Functions at which a piece starts and ends, and the code in which it is. */
interface PieceMarks {
  readonly start: string;
  readonly isWithin: (address: number) => boolean;
  readonly end: string;
}

/**
 * Adds up what is executed from the return of the function at the start on, until the one at the end is called. For calls
 * of a module they are `served_before` and `served_after`, both called by `served_call`:
 *
 *     idle ──start──▶ before ──within──▶ counting ──end──▶ idle
 *
 * A trap leaves `counting` by a jump; the next start then drops what was added up.
 */
class TracedPieces {
  readonly costs: PieceCost[] = [];
  readonly #instructions: Disassembly["instructions"];
  readonly #tick: CodeRange;
  readonly #start: number;
  readonly #end: number;
  readonly #isWithin: PieceMarks["isWithin"];
  readonly #table: CycleTable;
  #state: "idle" | "before" | "counting" = "idle";
  #sum = { instructions: 0, cycles: 0 };
  /** The instruction whose successor is awaited. */
  #pending: number | undefined;

  constructor(code: Disassembly, table: CycleTable, marks: PieceMarks) {
    const rangeOf = (name: string) => code.functions.get(name) ?? NOWHERE;
    this.#instructions = code.instructions;
    this.#tick = rangeOf("board_tick");
    this.#start = rangeOf(marks.start).start;
    this.#end = rangeOf(marks.end).start;
    this.#isWithin = marks.isWithin;
    this.#table = table;
  }

  /** The instruction at this address is executed. */
  step(address: number): void {
    if (isIn(address, this.#tick)) return;
    if (address === this.#start) this.#begin();
    else if (this.#state === "before" && this.#isWithin(address)) this.#state = "counting";
    if (this.#state !== "counting") return;
    if (address === this.#end) {
      // The call of that function itself is nobody's: it is pending, and dropped.
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
