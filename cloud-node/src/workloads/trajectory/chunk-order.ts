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

/** Every buffer of a chunk that can be handed over, each once; what is in shared ones threads see anyway. */
export function buffersOf(order: ChunkOrder): ArrayBuffer[] {
  const buffers = new Set<ArrayBufferLike>();
  for (const { buffer } of arraysOf(order)) buffers.add(buffer);
  for (const { rows, frame, columns } of order.frames) {
    if (rows !== undefined) buffers.add(rows.buffer);
    for (const column of [...frame.columns, ...columns.values()]) {
      if (column.kind === "text") buffers.add(column.codes.buffer);
    }
  }
  return [...buffers].filter((buffer) => buffer instanceof ArrayBuffer);
}

/** Every array of numbers of a chunk, each once. */
export function arraysOf({ frames }: ChunkOrder): Set<Float64Array> {
  const arrays = new Set<Float64Array>();
  for (const { frame, ids, columns } of frames) {
    for (const array of [frame.ids, ids]) if (array !== undefined) arrays.add(array);
    for (const column of [...frame.columns, ...columns.values()]) if (column.kind !== "text") arrays.add(column.values);
  }
  return arrays;
}
