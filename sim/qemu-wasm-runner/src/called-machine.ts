import { findExport, fromPattern, toPatterns } from "./arguments.ts";
import { ByteQueue } from "./byte-queue.ts";
import type { Machine, WasmInteger } from "./machine.ts";
import type { ModuleShape } from "./module-shape.ts";
import { RunnerError } from "./runner-error.ts";
import type { RunningProgram } from "./running-program.ts";
import { servedExports } from "./served-program.ts";
import { TRAP_REASONS } from "./trap-reason.ts";

const CALL = 1;
const READ = 2;
const WRITE = 3;
const SIZE = 4;

/** A running program that answers calls; firmware/call-server.c says how. */
export class CalledMachine implements Machine {
  readonly #program: RunningProgram;
  readonly #answers: ByteQueue;
  readonly #shape: ModuleShape;
  readonly #places: ReadonlyMap<string, number>;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(program: RunningProgram, shape: ModuleShape, timeoutMs: number) {
    this.#shape = shape;
    this.#places = new Map(servedExports(shape).map(({ kind, name }, place) => [`${kind} ${name}`, place]));
    this.#program = program;
    this.#answers = new ByteQueue(program.output, timeoutMs);
  }

  /** Wait until the module is there. @throws {RunnerError} `trap` from instantiation, `ended`, `timeout` */
  static async start(program: RunningProgram, shape: ModuleShape, timeoutMs: number): Promise<CalledMachine> {
    const machine = new CalledMachine(program, shape, timeoutMs);
    try {
      await machine.#expectNoTrap("(start)");
      return machine;
    } catch (error) {
      await machine.close();
      throw error;
    }
  }

  async call(name: string, ...args: readonly WasmInteger[]): Promise<readonly WasmInteger[]> {
    const { params, results } = findExport(this.#shape, "function", name).signature;
    const patterns = toPatterns(name, params, args);
    return this.#ask(async () => {
      const answer = await this.#evaluate(name, this.#places.get(`function ${name}`) ?? 0, patterns, results.length);
      return results.map((type, i) => fromPattern(type, answer[i] ?? 0n));
    });
  }

  async global(name: string): Promise<WasmInteger> {
    const { type } = findExport(this.#shape, "global", name);
    return this.#ask(async () => {
      const [pattern = 0n] = await this.#evaluate(name, this.#places.get(`global ${name}`) ?? 0, [], 1);
      return fromPattern(type, pattern);
    });
  }

  async read(at: number, length: number): Promise<Uint8Array> {
    return this.#ask(async () => {
      this.#send(rangeRequest(READ, at, length));
      await this.#expectInside(at, length);
      return this.#answers.take(length);
    });
  }

  async write(at: number, bytes: Uint8Array): Promise<void> {
    return this.#ask(async () => {
      this.#send(Buffer.concat([rangeRequest(WRITE, at, bytes.length), bytes]));
      await this.#expectInside(at, bytes.length);
    });
  }

  async memoryBytes(): Promise<number> {
    return this.#ask(async () => {
      this.#send(Buffer.from([SIZE]));
      await this.#expectNoTrap("(size)");
      return (await this.#answers.take(4)).readUInt32LE();
    });
  }

  async close(): Promise<void> {
    await this.#program.end();
  }

  /** Ask one after the other: an answer belongs to the oldest request. */
  #ask<T>(action: () => Promise<T>): Promise<T> {
    const next = this.#last.then(action).catch(async (error: unknown) => {
      // The answer may still come, and would be taken for the next one's.
      if (error instanceof RunnerError && error.code === "timeout") await this.close();
      throw error;
    });
    this.#last = next.catch(() => {});
    return next;
  }

  async #evaluate(name: string, place: number, args: readonly bigint[], results: number): Promise<bigint[]> {
    const request = Buffer.alloc(3 + 8 * args.length);
    request.writeUInt8(CALL);
    request.writeUInt16LE(place, 1);
    for (const [i, pattern] of args.entries()) request.writeBigUInt64LE(pattern, 3 + 8 * i);
    this.#send(request);
    await this.#expectNoTrap(name);
    const answer = await this.#answers.take(8 * results);
    return Array.from({ length: results }, (_, i) => answer.readBigUInt64LE(8 * i));
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

function rangeRequest(kind: number, at: number, length: number): Buffer {
  const isRange = [at, length].every((value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32);
  if (!isRange) throw new RunnerError("out-of-bounds", { at, length });
  const request = Buffer.alloc(9);
  request.writeUInt8(kind);
  request.writeUInt32LE(at, 1);
  request.writeUInt32LE(length, 5);
  return request;
}
