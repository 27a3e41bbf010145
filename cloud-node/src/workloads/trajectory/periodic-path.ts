import { type Box, type Cell, cellOf, isPeriodic } from "./box.ts";
import { VarintReader, VarintWriter } from "./varints.ts";

/**
 * Positions that jump through a periodic face, as a path without jumps: x + sum over k of n_k edge_k, n whole numbers
 * of each atom and frame, 0 in the first frame of a chunk. n changes where that keeps an atom nearest to where it was,
 * by the box of each frame. Any n would do: it is written down, so that a wrapped position comes back as wrapped as it
 * was, on whichever side of a face rounding puts it.
 */
export interface PeriodicPath {
  /** Shape (frames)(axes)(atoms); undefined where no atom is away from where it began: the values are the path then. */
  readonly turns: readonly (readonly Int32Array[] | undefined)[];
}

/** What a chunk's positions repeat in: a box per frame, or 1 per axis for scaled ones. */
export type Periods = readonly (readonly (readonly number[])[])[];

/**
 * Edges of the axes by frame, shape (frames)(axes)(axes).
 *
 * @param axes  0 … 2 for x … z, rising
 * @returns undefined where the box does not tell: a tilted one of which not all axes are there
 */
export function periodsOf(boxes: readonly Box[], axes: readonly number[], isScaled: boolean): Periods | undefined {
  if (isScaled) return boxes.map(() => axes.map((a) => axes.map((b) => Number(a === b))));
  const periods: number[][][] = [];
  for (const box of boxes) {
    if (axes.length < 3 && box.shape !== "orthogonal") return undefined;
    const cell: Cell = cellOf(box);
    periods.push(axes.map((k) => axes.map((d) => cell.edges[k as 0 | 1 | 2][d as 0 | 1 | 2])));
  }
  return periods;
}

/** Which axes repeat, in all frames. */
export function periodicAxes(boxes: readonly Box[], axes: readonly number[]): boolean[] {
  return axes.map((axis) => boxes.every((box) => isPeriodic(box, axis as 0 | 1 | 2) !== false));
}

/**
 * Find the turns.
 *
 * @param values  (frame, axis) to shape (atoms)
 */
export function findTurns(
  values: (frame: number, axis: number) => Float64Array,
  periods: Periods,
  isPeriodicAxis: readonly boolean[],
): PeriodicPath {
  const turns: (Int32Array[] | undefined)[] = [undefined];
  for (let frame = 1; frame < periods.length; frame++) {
    turns.push(turnsOfFrame(values, periods, isPeriodicAxis, frame, turns[frame - 1]));
  }
  return { turns };
}

function turnsOfFrame(
  values: (frame: number, axis: number) => Float64Array,
  periods: Periods,
  isPeriodicAxis: readonly boolean[],
  frame: number,
  before: readonly Int32Array[] | undefined,
): Int32Array[] | undefined {
  const axes = isPeriodicAxis.length;
  const now = inverse(periods[frame] ?? []);
  const then = inverse(periods[frame - 1] ?? []);
  if (now === undefined || then === undefined) return before?.map((turns) => turns.slice());
  const here = isPeriodicAxis.map((_, axis) => values(frame, axis));
  const there = isPeriodicAxis.map((_, axis) => values(frame - 1, axis));
  const atoms = here[0]?.length ?? 0;
  let turns = before?.map((line) => line.slice());
  for (let k = 0; k < axes; k++) {
    if (isPeriodicAxis[k] !== true) continue;
    for (let i = 0; i < atoms; i++) {
      let moved = 0;
      for (let d = 0; d < axes; d++) {
        moved += (here[d]?.[i] ?? 0) * (now[d]?.[k] ?? 0) - (there[d]?.[i] ?? 0) * (then[d]?.[k] ?? 0);
      }
      if (!(Math.abs(moved) > 0.5 && Math.abs(moved) < 1e6)) continue;
      turns ??= here.map(() => new Int32Array(atoms));
      const line = turns[k];
      if (line !== undefined) line[i] = (line[i] ?? 0) - Math.round(moved);
    }
  }
  return turns?.some((line) => line.some((turn) => turn !== 0)) ? turns : undefined;
}

/** Of a matrix of 1 … 3 rows; undefined for one without. Scaled = position · inverse. */
function inverse(rows: readonly (readonly number[])[]): number[][] | undefined {
  const n = rows.length;
  const work = rows.map((row, i) => [...row, ...rows.map((_, j) => Number(i === j))]);
  for (let column = 0; column < n; column++) {
    const pivot = work.slice(column).toSorted((a, b) => Math.abs(b[column] ?? 0) - Math.abs(a[column] ?? 0))[0];
    const value = pivot?.[column] ?? 0;
    if (pivot === undefined || !(Math.abs(value) > 0) || !Number.isFinite(value)) return undefined;
    const at = work.indexOf(pivot);
    work[at] = work[column] ?? [];
    work[column] = pivot.map((entry) => entry / value);
    for (const [i, row] of work.entries()) {
      if (i === column) continue;
      const factor = row[column] ?? 0;
      work[i] = row.map((entry, j) => entry - factor * (work[column]?.[j] ?? 0));
    }
  }
  return work.map((row) => row.slice(n));
}

/**
 * Values moved along the path, or back: x + sign · sum of turns · edges.
 *
 * @returns `values` itself where nothing moves
 */
export function moveAlong(
  values: Float64Array<ArrayBuffer>,
  path: PeriodicPath,
  periods: Periods,
  frame: number,
  axis: number,
  sign: 1 | -1,
): Float64Array<ArrayBuffer> {
  const turns = path.turns[frame];
  if (turns === undefined) return values;
  const moved = values.slice();
  for (const [k, line] of turns.entries()) {
    const edge = sign * (periods[frame]?.[k]?.[axis] ?? 0);
    if (edge === 0) continue;
    for (let i = 0; i < moved.length; i++) {
      const turn = line[i] ?? 0;
      if (turn !== 0) moved[i] = (moved[i] ?? 0) + turn * edge;
    }
  }
  return moved;
}

/** Turns as bytes: how many atoms' changed, per frame and axis; then the gaps between all of these; then the changes. */
export function encodeTurns({ turns }: PeriodicPath, axes: number): Uint8Array<ArrayBuffer> {
  const [counts, gaps, changes] = [new VarintWriter(), new VarintWriter(), new VarintWriter()];
  for (let frame = 1; frame < turns.length; frame++) {
    for (let axis = 0; axis < axes; axis++) {
      const [now, before] = [turns[frame]?.[axis], turns[frame - 1]?.[axis]];
      const atoms = now?.length ?? before?.length ?? 0;
      let [count, next] = [0, 0];
      for (let i = 0; i < atoms; i++) {
        const change = (now?.[i] ?? 0) - (before?.[i] ?? 0);
        if (change === 0) continue;
        gaps.push(i - next);
        changes.pushSigned(change);
        next = i + 1;
        count += 1;
      }
      counts.push(count);
    }
  }
  return new Uint8Array(Buffer.concat([counts.finish(), gaps.finish(), changes.finish()]));
}

/** The way back. @returns undefined where the bytes are damaged */
export function decodeTurns(bytes: Uint8Array, frames: number, axes: number, atoms: number): PeriodicPath | undefined {
  const reader = new VarintReader(bytes);
  const lines = Math.max(0, frames - 1) * axes;
  const counts = Array.from({ length: lines }, () => reader.next());
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (counts.some((count) => count > atoms) || all > bytes.length) return undefined;
  const gaps = Array.from({ length: all }, () => reader.next());
  const changes = Array.from({ length: all }, () => reader.nextSigned());
  if (!reader.isWhole) return undefined;
  const turns: (Int32Array[] | undefined)[] = [undefined];
  let at = 0;
  for (let frame = 1; frame < frames; frame++) {
    let line = turns[frame - 1]?.map((axis) => axis.slice());
    for (let axis = 0; axis < axes; axis++) {
      const end = at + (counts[(frame - 1) * axes + axis] ?? 0);
      if (end > at) line ??= Array.from({ length: axes }, () => new Int32Array(atoms));
      const turned = line?.[axis];
      for (let next = 0; at < end; at++) {
        const atom = next + (gaps[at] ?? 0);
        if (atom >= atoms) return undefined;
        if (turned !== undefined) turned[atom] = (turned[atom] ?? 0) + (changes[at] ?? 0);
        next = atom + 1;
      }
    }
    turns.push(line?.some((axis) => axis.some((turn) => turn !== 0)) ? line : undefined);
  }
  return { turns };
}
