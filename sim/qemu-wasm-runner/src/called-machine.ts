import { setTimeout } from "node:timers/promises";
import { findExport, fromPattern, toPatterns } from "./arguments.ts";
import { ByteQueue } from "./byte-queue.ts";
import type { Machine, Measurement, WasmInteger } from "./machine.ts";
import type { ModuleShape } from "./module-shape.ts";
import { RunnerError } from "./runner-error.ts";
import type { ProgramEnd, RunningProgram } from "./running-program.ts";
import { servedExports } from "./served-program.ts";
import { stopReasonOf, TRAP_REASONS } from "./trap-reason.ts";

const CALL = 1;
const READ = 2;
const WRITE = 3;
const SIZE = 4;
const STACK = 5;
const END = 0;
/** The call server's own part of a call's answer: the count of instructions. */
const COUNT_BYTES = 4;
/** A process whose line is closed is gone in far less. */
const END_WAIT_MS = 2000;

/** What the board of a called machine can tell beside results. */
export interface MachineTraits {
  readonly board: string;
  readonly timeoutMs: number;
  /** Its counts of instructions are exact. */
  readonly isCounting: boolean;
  /** Its stack is painted. */
  readonly hasPaintedStack: boolean;
}

/** A running program that answers calls; firmware/call-server.c says how. */
export class CalledMachine implements Machine {
  readonly #program: RunningProgram;
  readonly #answers: ByteQueue;
  readonly #shape: ModuleShape;
  readonly #places: ReadonlyMap<string, number>;
  readonly #traits: MachineTraits;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(program: RunningProgram, shape: ModuleShape, traits: MachineTraits) {
    this.#shape = shape;
    this.#places = new Map(servedExports(shape).map(({ kind, name }, place) => [`${kind} ${name}`, place]));
    this.#program = program;
    this.#traits = traits;
    this.#answers = new ByteQueue(program.output, traits.timeoutMs);
  }

  /** Wait until the module is there. @throws {RunnerError} `trap` from instantiation, `ended`, `timeout` */
  static async start(program: RunningProgram, shape: ModuleShape, traits: MachineTraits): Promise<CalledMachine> {
    const machine = new CalledMachine(program, shape, traits);
    try {
      await machine.#ask("(start)", () => machine.#expectNoTrap("(start)"));
      return machine;
    } catch (error) {
      await machine.close();
      throw error;
    }
  }

  async call(name: string, ...args: readonly WasmInteger[]): Promise<readonly WasmInteger[]> {
    return (await this.#callCounted(name, args)).results;
  }

  async measure(name: string, ...args: readonly WasmInteger[]): Promise<Measurement> {
    const { isCounting, board } = this.#traits;
    if (!isCounting)
      throw new RunnerError("not-counting", { board, want: "a board that counts, opened with counting" });
    return this.#callCounted(name, args);
  }

  async stackHighWater(): Promise<number> {
    const { hasPaintedStack, board } = this.#traits;
    if (!hasPaintedStack) throw new RunnerError("not-counting", { board, want: "a board without an operating system" });
    return this.#ask("(stack)", () => this.#askNumber(STACK, "(stack)"));
  }

  async global(name: string): Promise<WasmInteger> {
    const { type } = findExport(this.#shape, "global", name);
    return this.#ask(name, async () => {
      const { values } = await this.#evaluate(name, this.#places.get(`global ${name}`) ?? 0, [], 1);
      return fromPattern(type, values[0] ?? 0n);
    });
  }

  async read(at: number, length: number): Promise<Uint8Array> {
    return this.#ask("(read)", async () => {
      this.#send(rangeRequest(READ, at, length));
      await this.#expectInside(at, length);
      return this.#answers.take(length);
    });
  }

  async write(at: number, bytes: Uint8Array): Promise<void> {
    return this.#ask("(write)", async () => {
      this.#send(Buffer.concat([rangeRequest(WRITE, at, bytes.length), bytes]));
      await this.#expectInside(at, bytes.length);
    });
  }

  async memoryBytes(): Promise<number> {
    return this.#ask("(size)", () => this.#askNumber(SIZE, "(size)"));
  }

  /** Have the program end by itself, and wait for that. */
  async finish(): Promise<void> {
    await this.#ask("(end)", async () => {
      this.#send(Buffer.from([END]));
      await this.#program.ended;
    });
    await this.close();
  }

  async close(): Promise<void> {
    await this.#program.end();
  }

  /** Ask one after the other: an answer belongs to the oldest request. @param name  of what is asked, for errors */
  #ask<T>(name: string, action: () => Promise<T>): Promise<T> {
    const next = this.#last.then(action).catch(async (error: unknown) => {
      const told = error instanceof RunnerError ? await this.#explain(name, error) : error;
      // The answer may still come, and would be taken for the next one's.
      if (told instanceof RunnerError && told.code === "timeout") await this.close();
      throw told;
    });
    this.#last = next.catch(() => {});
    return next;
  }

  /** No answer: what was asked, and what became of the program. */
  async #explain(name: string, error: RunnerError): Promise<RunnerError> {
    if (error.code === "timeout")
      return new RunnerError("timeout", { function: name, ...error.facts }, { cause: error });
    if (error.code !== "ended") return error;
    const facts = endFacts(await endOf(this.#program));
    return new RunnerError("ended", { function: name, ...facts }, { cause: error });
  }

  async #callCounted(name: string, args: readonly WasmInteger[]): Promise<Measurement> {
    const { params, results } = findExport(this.#shape, "function", name).signature;
    const patterns = toPatterns(name, params, args);
    return this.#ask(name, async () => {
      const place = this.#places.get(`function ${name}`) ?? 0;
      const { instructions, values } = await this.#evaluate(name, place, patterns, results.length);
      return { instructions, results: results.map((type, i) => fromPattern(type, values[i] ?? 0n)) };
    });
  }

  async #evaluate(
    name: string,
    place: number,
    args: readonly bigint[],
    results: number,
  ): Promise<{ instructions: number; values: bigint[] }> {
    const request = Buffer.alloc(3 + 8 * args.length);
    request.writeUInt8(CALL);
    request.writeUInt16LE(place, 1);
    for (const [i, pattern] of args.entries()) request.writeBigUInt64LE(pattern, 3 + 8 * i);
    this.#send(request);
    await this.#expectNoTrap(name);
    const answer = await this.#answers.take(COUNT_BYTES + 8 * results);
    const values = Array.from({ length: results }, (_, i) => answer.readBigUInt64LE(COUNT_BYTES + 8 * i));
    return { instructions: answer.readUInt32LE(), values };
  }

  async #askNumber(request: number, name: string): Promise<number> {
    this.#send(Buffer.from([request]));
    await this.#expectNoTrap(name);
    return (await this.#answers.take(4)).readUInt32LE();
  }

  #send(request: Uint8Array): void {
    this.#program.input.write(request);
  }

  async #expectNoTrap(name: string): Promise<void> {
    const reason = TRAP_REASONS[(await this.#answers.take(1)).readUInt8()] ?? "unreachable";
    if (reason !== "none") throw new RunnerError("trap", { function: name, reason });
  }

  async #expectInside(at: number, length: number): Promise<void> {
    const isInside = (await this.#answers.take(1)).readUInt8() === 0;
    if (!isInside) throw new RunnerError("out-of-bounds", { at, length });
  }
}

/** Its line is closed: its end is near, and waited for. @returns null when it does not come */
async function endOf(program: RunningProgram): Promise<ProgramEnd | null> {
  const late = new AbortController();
  const never = setTimeout(END_WAIT_MS, null, { signal: late.signal }).catch(() => null);
  try {
    return await Promise.race([program.ended, never]);
  } finally {
    late.abort();
  }
}

function endFacts(end: ProgramEnd | null): Record<string, string | number> {
  if (end === null) return { program: "still runs, without its line" };
  const { exitCode, signal, errorText } = end;
  const reason = stopReasonOf(exitCode);
  return {
    ...(signal === null ? { exitCode: exitCode ?? "none" } : { signal }),
    ...(reason === null ? {} : { reason }),
    ...(errorText === "" ? {} : { said: errorText.trim() }),
  };
}

function rangeRequest(kind: number, at: number, length: number): Buffer {
  const isRange = [at, length].every((value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32);
  if (!isRange) throw new RunnerError("out-of-bounds", { at, length });
  const request = Buffer.alloc(9);
  request.writeUInt8(kind);
  request.writeUInt32LE(at, 1);
  request.writeUInt32LE(length, 5);
  return request;
}
