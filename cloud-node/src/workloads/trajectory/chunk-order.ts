import type { OrderedFrame } from "./atom-order.ts";
import type { ColumnGroup } from "./column-groups.ts";
import type { TrajectoryErrorCode, TrajectoryPlace } from "./trajectory-error.ts";

/** A chunk that is to be coded, as a thread is told. */
export interface ChunkOrder {
  readonly groups: readonly ColumnGroup[];
  readonly frames: readonly OrderedFrame[];
  readonly keepRows: boolean;
}

/** What a thread answers when a chunk cannot be coded: a TrajectoryError, which does not travel as one. */
export interface ChunkRefusal {
  readonly code: TrajectoryErrorCode;
  readonly problem: string;
  readonly remedy: string;
  readonly place: TrajectoryPlace;
}

/** Values of a chunk, over all frames and columns. */
export function valuesOf({ frames }: ChunkOrder): number {
  const [first] = frames;
  return first === undefined ? 0 : frames.length * first.frame.atoms * first.frame.columns.length;
}

/** Every buffer that a chunk consists of, each once. */
export function buffersOf({ frames }: ChunkOrder): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { frame, ids, rows, columns } of frames) {
    for (const array of [frame.ids, ids, rows]) if (array !== undefined) buffers.add(array.buffer);
    for (const column of [...frame.columns, ...columns.values()]) {
      buffers.add(column.kind === "text" ? column.codes.buffer : column.values.buffer);
    }
  }
  return [...buffers];
}
