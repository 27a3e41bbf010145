import type { KernelName } from "./kernels.ts";
import type { Address, Section, Tensor } from "./tensor.ts";

/** What a kernel is given: a number, a place in the arena, or `undefined` for "none". */
export type KernelArgument = number | Address | undefined;

/** One call of a program. */
export interface KernelCall {
  readonly kernel: KernelName;
  readonly args: readonly KernelArgument[];
}

/** A parameter of a program. */
export interface ProgramParameter {
  readonly name: string;
  readonly tensor: Tensor;
  /** In the section of gradients; frozen parameters have none, and are never changed by a step. */
  readonly gradient: Address | undefined;
  /** Set where it is the weight of a matrix product: which way round it is stored. */
  readonly matrix: { readonly inner: number; readonly columns: number; readonly isTransposed: boolean } | undefined;
}

/** An input of a program. Whole numbers are stored as 32-bit integers where the arena's numbers are 32 bits wide. */
export interface ProgramInput {
  readonly name: string;
  readonly tensor: Tensor;
  readonly type: "i32" | "f32";
  /** Set where kernels go by its numbers: they must lie in it. */
  readonly range: { readonly from: number; readonly below: number } | undefined;
}

/** Where a mean is taken over the targets that are not masked: the engine counts them before a run. */
export interface MeanLoss {
  readonly targets: Tensor;
  readonly denominator: Address;
}

/** Where numbers are left out at random: the engine says which before a run. */
export interface ProgramDropout {
  /** Of its stream of random numbers. */
  readonly name: string;
  /** Three whole numbers, as the kernel `dropout` takes them. */
  readonly draw: Address;
  /** Places that it has. */
  readonly count: number;
}

/** Numbers that a step reads and never writes, such as the angles of RoPE. */
export interface ProgramConstant {
  readonly tensor: Tensor;
  readonly values: Float64Array;
}

/**
 * A tape recorded once per shape: the calls of a step and where everything lies. Plain data, which can be sent to a
 * thread as it is.
 */
export interface Program {
  readonly parameters: readonly ProgramParameter[];
  readonly inputs: readonly ProgramInput[];
  readonly constants: readonly ProgramConstant[];
  readonly losses: readonly MeanLoss[];
  readonly dropouts: readonly ProgramDropout[];
  readonly output: Tensor;
  readonly forward: readonly KernelCall[];
  /** Empty where the program was built without gradients. */
  readonly backward: readonly KernelCall[];
  /** Numbers in each section. */
  readonly sizes: Readonly<Record<Section, number>>;
}
