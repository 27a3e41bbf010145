/**
 * The parts of an arena. `value` holds the parameters, `gradient` the gradients of those that are trained, `work` what
 * a step computes, and `scratch` what one kernel needs until it returns. Threads that share an arena have one `value`,
 * and each their own of the rest.
 */
export type Section = "value" | "gradient" | "work" | "scratch";

/** A place in the arena: `offset` numbers behind the start of its section. */
export interface Address {
  readonly section: Section;
  readonly offset: number;
}

/** One value of a program: a dense array whose last axis is contiguous. Its place never changes. */
export interface Tensor extends Address {
  /** At least one axis; a scalar is `[1]`. */
  readonly shape: readonly number[];
  /** Numbers from one row to the next: the last axis, or more in a part of another tensor's columns. */
  readonly stride: number;
  /** Set where this is another tensor, itself no view, under another shape, or columns of it from `column` on. */
  readonly view: { readonly of: Tensor; readonly column: number } | undefined;
}

/** Length of the last axis. */
export function widthOf({ shape }: Tensor): number {
  return shape.at(-1) ?? 1;
}

/** Product of all axes but the last. */
export function rowsOf({ shape }: Tensor): number {
  return shape.slice(0, -1).reduce((product, length) => product * length, 1);
}

/** How many numbers a shape holds. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Whether the rows lie one behind the other without gaps. */
export function isContiguous(tensor: Tensor): boolean {
  return tensor.stride === widthOf(tensor) || rowsOf(tensor) === 1;
}
