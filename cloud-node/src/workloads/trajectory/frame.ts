import type { Box } from "./box.ts";

/**
 * One numeric column of a frame, shape (atoms), in the row order of the dump.
 *
 * `integer`: every value is a whole number, |value| <= 2^53 - 1, and was written as one (`-0` was not). `real`: the
 * double nearest to the text. Names that LAMMPS defines as real (`x`, `vx`, `q`, `c_pe`, …) are `real` whatever they hold;
 * any other column may be `integer` in one frame and `real` in the next, so whoever keeps a type over frames goes by the
 * wider one.
 */
export interface NumberColumn {
  readonly kind: "integer" | "real";
  readonly name: string;
  readonly values: Float64Array;
}

/** One column of words (`element`, …): row i holds `words[codes[i]]`. */
export interface TextColumn {
  readonly kind: "text";
  readonly name: string;
  /** Different words in the order in which the frame first names them: 1 byte at least, no blanks in them. */
  readonly words: readonly string[];
  /** Shape (atoms). */
  readonly codes: Uint32Array<ArrayBuffer>;
}

/** A per-atom quantity of one frame; its name is unique in the frame, without blanks. */
export type Column = NumberColumn | TextColumn;

/** Where a frame was read. */
export interface FrameSource {
  readonly file: string;
  /** Line of its first `ITEM:`, 1 …. */
  readonly line: number;
  /** Offset of that line in the text (after decompression), and how long the whole frame is, line ends included. */
  readonly byte: number;
  readonly bytes: number;
  /** The text ends here without a line end: if it was cut, the last number may have lost digits that nobody can miss. */
  readonly isOpenEnded: boolean;
}

/**
 * One snapshot of a trajectory.
 *
 * Whoever gets a frame owns it: no array is shared with another frame, each has exactly `atoms` elements, and a buffer of
 * its own (so that it can be transferred to a thread) or a place in one that all threads see. Rows are in the order of the dump: ids may come in any order,
 * be missing or repeated, and their number may change from frame to frame, down to 0.
 */
export interface TrajectoryFrame {
  /** LAMMPS' timestep, int64. */
  readonly step: bigint;
  /** `ITEM: TIME`, in the time unit of `units`; undefined where the dump does not say. */
  readonly time: number | undefined;
  /** Unit style (`lj`, `real`, `metal`, …), as last said in this file; undefined where the dump does not say. */
  readonly units: string | undefined;
  readonly box: Box;
  /** Rows of every column, 0 …. */
  readonly atoms: number;
  /** The values of the column `id` (the same array): 0 … 2^53 - 1; undefined in a dump without ids. */
  readonly ids: Float64Array | undefined;
  /** In the order of the dump, `id` among them. */
  readonly columns: readonly Column[];
  /** undefined for a frame that was not read from a dump. */
  readonly source: FrameSource | undefined;
}
