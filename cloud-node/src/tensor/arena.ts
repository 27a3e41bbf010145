import type { Kernels, UpdateKernels } from "./kernels.ts";
import type { KernelArgument, KernelCall } from "./program.ts";
import type { Section } from "./tensor.ts";

/** The program's sections, and the optimizer's two, in the layout of the gradients. */
export type ArenaSection = Section | "average" | "squareAverage";

/** Memory of a backend, laid out for one program, and the kernels that work in it. */
export interface Arena {
  readonly kernels: Kernels & UpdateKernels;
  /** What kernels are given for a place. */
  address(section: ArenaSection, offset: number): number;
  /** A view of a place, good for as long as the arena. */
  numbers(section: ArenaSection, offset: number, count: number): Float32Array | Float64Array;
  /** The same for whole numbers. */
  integers(section: ArenaSection, offset: number, count: number): Int32Array | Float64Array;
}

/**
 * Calls of a program with their arguments resolved: run them in order.
 *
 * @param arena  whose kernels need not compute at once: a device's are recorded
 */
export function bindCalls(
  calls: readonly KernelCall[],
  arena: Pick<Arena, "address"> & { readonly kernels: Kernels },
): readonly (() => void)[] {
  const resolve = (argument: KernelArgument) => {
    if (argument === undefined) return 0;
    return typeof argument === "number" ? argument : arena.address(argument.section, argument.offset);
  };
  return calls.map(({ kernel, args }) => {
    const run = arena.kernels[kernel] as (...numbers: readonly number[]) => void;
    const numbers = args.map(resolve);
    return () => run(...numbers);
  });
}
