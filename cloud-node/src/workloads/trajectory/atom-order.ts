import { bytesOf } from "./array-bytes.ts";
import type { Column, TrajectoryFrame } from "./frame.ts";

/** A frame whose rows are in the order of rising ids, or as they came where ids are missing or repeated. */
export interface OrderedFrame {
  readonly frame: TrajectoryFrame;
  /** Rising; undefined where rows are as they came. */
  readonly ids: Float64Array | undefined;
  /** Row of the dump for each row here; undefined where they are the same. */
  readonly rows: Uint32Array<ArrayBuffer> | undefined;
  readonly columns: ReadonlyMap<string, Column>;
}

/** Put a frame's rows in the order of their ids. */
export function orderFrame(frame: TrajectoryFrame): OrderedFrame {
  const byName = (columns: readonly Column[]) => new Map(columns.map((column) => [column.name, column]));
  const { ids, columns } = frame;
  const asTheyCame = { frame, ids: undefined, rows: undefined, columns: byName(columns) };
  if (ids === undefined) return asTheyCame;
  if (isRising(ids)) return { frame, ids, rows: undefined, columns: byName(columns) };
  const rows = Uint32Array.from(ids.keys()).sort((a, b) => (ids[a] ?? 0) - (ids[b] ?? 0));
  const sorted = picked(ids, rows);
  if (!isRising(sorted)) return asTheyCame;
  return { frame, ids: sorted, rows, columns: byName(columns.map((column) => pickColumn(column, rows))) };
}

/** Whether two frames can be in one chunk: the same atoms, row by row. */
export function haveSameAtoms(a: OrderedFrame, b: OrderedFrame): boolean {
  if (a.frame.atoms !== b.frame.atoms || (a.ids === undefined) !== (b.ids === undefined)) return false;
  return a.ids === undefined || b.ids === undefined || Buffer.compare(bytesOf(a.ids), bytesOf(b.ids)) === 0;
}

/**
 * A column in the order of other rows.
 *
 * @param rows  for each row of the result, the row it is taken from
 */
export function pickColumn(column: Column, rows: Uint32Array): Column {
  if (column.kind !== "text") return { ...column, values: picked(column.values, rows) };
  const codes = new Uint32Array(rows.length);
  for (const [i, row] of rows.entries()) codes[i] = column.codes[row] ?? 0;
  return { ...column, codes };
}

function picked(values: Float64Array, rows: Uint32Array): Float64Array {
  const out = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) out[i] = values[rows[i] ?? 0] ?? 0;
  return out;
}

function isRising(ids: Float64Array): boolean {
  for (let i = 1; i < ids.length; i++) if (!((ids[i] ?? 0) > (ids[i - 1] ?? 0))) return false;
  return true;
}
