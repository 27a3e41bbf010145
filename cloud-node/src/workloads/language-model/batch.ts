/** Rows of tokens, and what follows each of them. */
export interface Batch {
  readonly rows: number;
  /** T. */
  readonly context: number;
  /** Shape (rows, context). */
  readonly inputs: Int32Array;
  /** Shape (rows, context); −1 where nothing is to be foreseen. */
  readonly targets: Int32Array;
}

/** Batches without end. */
export interface BatchSource {
  /** The next one; its arrays are written over by the one after it. */
  next(): Batch;
  /** Where it stands, as a checkpoint keeps it. */
  state(): unknown;
  /** Go on from there. @throws {LanguageModelError} `foreign-checkpoint` for what is no state of such a source */
  restore(state: unknown): void;
}

/** A batch with room for its tokens. */
export function emptyBatch(rows: number, context: number): Batch {
  return { rows, context, inputs: new Int32Array(rows * context), targets: new Int32Array(rows * context) };
}

/** How many targets are to be foreseen. */
export function countTargets(targets: Int32Array): number {
  return targets.reduce((count, target) => count + (target >= 0 ? 1 : 0), 0);
}
