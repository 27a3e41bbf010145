import type { Arena } from "./arena.ts";
import type { Program } from "./program.ts";

/** Kernels that can be called for parts of the parameters, on any thread: they work number by number, or give a sum. */
export const PART_KERNELS = ["copy", "sumOfSquares", "adamw"] as const;
export type PartKernel = (typeof PART_KERNELS)[number];

/** A call for one part of the numbers of a section: calls of a part run in order, parts in any order. */
export interface PartCall {
  readonly part: number;
  readonly kernel: PartKernel;
  readonly args: readonly number[];
}

/** Runs calls of parts. @returns what each gave, 0 where that is nothing; good until the next call */
export type CallParts = (calls: readonly PartCall[]) => Promise<ArrayLike<number>>;

/** Numbers of a part: enough for a thread to be worth waking, and whole vectors. */
const PART_NUMBERS = 1 << 16;
/** Most parts of one array. */
const MAX_PARTS = 1024;

/** The parts of `count` numbers, which depend on the count alone: so do sums over them. */
export function partsOf(count: number): { readonly part: number; readonly start: number; readonly length: number }[] {
  const size = Math.max(PART_NUMBERS, Math.ceil(count / MAX_PARTS / 16) * 16);
  return Array.from({ length: Math.ceil(count / size) }, (_, part) => {
    const start = part * size;
    return { part, start, length: Math.min(size, count - start) };
  });
}

/** Calls of one update, in parts of about the same size. */
export class PartList {
  readonly calls: PartCall[] = [];
  #numbers = 0;

  clear(): void {
    this.calls.length = 0;
    this.#numbers = 0;
  }

  /** @param length  numbers that the call is for */
  add(kernel: PartKernel, args: readonly number[], length: number): void {
    this.calls.push({ part: Math.floor(this.#numbers / PART_NUMBERS), kernel, args });
    this.#numbers += length;
  }
}

/** Most calls at a time of an engine: the shards' gradients, or an update of every parameter. */
export function mostPartCalls({ sizes, parameters }: Program, shards: number): number {
  const parts = partsOf(sizes.gradient).length;
  return Math.max(parts * (shards - 1), parts + parameters.length);
}

/** The calling thread alone, in order. */
export function callPartsHere({ kernels }: Arena): CallParts {
  return async (calls) => calls.map(({ kernel, args }) => callKernel(kernels, kernel, args));
}

export function callKernel(kernels: Arena["kernels"], kernel: PartKernel, args: readonly number[]): number {
  const run = kernels[kernel] as (...numbers: readonly number[]) => number | undefined;
  return run(...args) ?? 0;
}
