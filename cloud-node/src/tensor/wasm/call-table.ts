import type { Arena } from "../arena.ts";
import { callKernel, PART_KERNELS, type PartCall } from "../part-calls.ts";

/**
 * Calls of parts in memory that threads share, a row of numbers each:
 *
 *   part | kernel, by its place in PART_KERNELS | count of arguments | arguments | … | result
 *
 * The first number of all is the count of calls.
 */
export class CallTable {
  readonly numbers: Float64Array<SharedArrayBuffer>;
  readonly #results: Float64Array;

  /** @param numbers  of another thread's table; a table of its own when absent */
  constructor(capacity: number, numbers = new Float64Array(new SharedArrayBuffer(8 * (1 + capacity * ROW)))) {
    this.numbers = numbers;
    this.#results = new Float64Array(capacity);
  }

  write(calls: readonly PartCall[]): void {
    this.numbers[0] = calls.length;
    for (const [index, { part, kernel, args }] of calls.entries()) {
      const at = 1 + index * ROW;
      this.numbers[at] = part;
      this.numbers[at + 1] = PART_KERNELS.indexOf(kernel);
      this.numbers[at + 2] = args.length;
      this.numbers.set(args, at + ARGUMENTS);
    }
  }

  /** Run the calls of a thread's parts. */
  run({ kernels }: Arena, thread: number, threads: number): void {
    const count = this.numbers[0] ?? 0;
    for (let index = 0; index < count; index++) {
      const at = 1 + index * ROW;
      const [part = 0, kernel = 0, length = 0] = this.numbers.subarray(at, at + ARGUMENTS);
      if (part % threads !== thread) continue;
      const name = PART_KERNELS[kernel];
      if (name === undefined) throw new RangeError(`there is no kernel ${kernel} for parts`);
      const args = Array.from(this.numbers.subarray(at + ARGUMENTS, at + ARGUMENTS + length));
      this.numbers[at + ROW - 1] = callKernel(kernels, name, args);
    }
  }

  /** What the calls gave; overwritten by the next ones. */
  results(): ArrayLike<number> {
    const count = this.numbers[0] ?? 0;
    for (let index = 0; index < count; index++) this.#results[index] = this.numbers[index * ROW + ROW] ?? 0;
    return this.#results.subarray(0, count);
  }
}

const ARGUMENTS = 3;
/** As many arguments as AdamW takes, and what else a row has. */
const ROW = ARGUMENTS + 12 + 1;
