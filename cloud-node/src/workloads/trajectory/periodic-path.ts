import { type Box, cellOf, isPeriodic } from "./box.ts";
import type { Move } from "./group-codec.ts";
import { VarintReader, VarintWriter } from "./varints.ts";

/**
 * Positions that jump through a periodic face, as a path without jumps: x + sum over k of n_k edge_k, n whole numbers
 * of each atom and frame, 0 in the first frame of a chunk. n changes where that keeps an atom nearest to where it was,
 * by the box of each frame. Any n would do: it is written down, so that a wrapped position comes back as wrapped as it
 * was, on whichever side of a face rounding puts it. What is written is how n differs from what a reader foresees.
 */
export interface PeriodicPath {
  /** Shape (frames)(axes)(atoms); undefined where no atom is away from where it began: the values are the path then. */
  readonly turns: readonly (readonly Int32Array[] | undefined)[];
}

/** What a frame's positions repeat in, in the axes that they have: a corner and edges, shape (axes) and (axes)(axes). */
export interface Period {
  readonly origin: readonly number[];
  readonly edges: readonly (readonly number[])[];
}

/** Positions by frame and axis, shape (atoms): the caller's. */
export type PositionsAt = (frame: number, axis: number) => Float64Array;

/** How a reader foresees the turns of an axis: as they were in the frame before, or so that the path ends in the cell. */
const AS_BEFORE = 0;
const INTO_CELL = 1;
const NONE = new Float64Array(0);
const NO_TURNS = new Int32Array(0);

/**
 * What the axes repeat in, by frame: the box, or 1 per axis for scaled positions.
 *
 * @param axes  0 … 2 for x … z, rising
 * @returns undefined where the box does not tell: a tilted one of which not all axes are there
 */
export function periodsOf(boxes: readonly Box[], axes: readonly number[], isScaled: boolean): Period[] | undefined {
  if (isScaled)
    return boxes.map(() => ({ origin: axes.map(() => 0), edges: axes.map((a) => axes.map((b) => Number(a === b))) }));
  const periods: Period[] = [];
  for (const box of boxes) {
    if (axes.length < 3 && box.shape !== "orthogonal") return undefined;
    const { origin, edges } = cellOf(box);
    periods.push({
      origin: axes.map((d) => origin[d as 0 | 1 | 2]),
      edges: axes.map((k) => axes.map((d) => edges[k as 0 | 1 | 2][d as 0 | 1 | 2])),
    });
  }
  return periods;
}

/** Which axes repeat, in all frames. */
export function periodicAxes(boxes: readonly Box[], axes: readonly number[]): boolean[] {
  return axes.map((axis) => boxes.every((box) => isPeriodic(box, axis as 0 | 1 | 2) !== false));
}

/**
 * Find the turns of wrapped positions. A frame that nothing turned in has the array of the frame before.
 *
 */
export function findTurns(
  values: PositionsAt,
  periods: readonly Period[],
  isPeriodicAxis: readonly boolean[],
): PeriodicPath {
  const turns: PeriodicPath["turns"][number][] = [];
  const axes = isPeriodicAxis.map((_, axis) => axis);
  let now = inverse(periods[0]?.edges ?? []);
  for (const [frame, { edges }] of periods.entries()) {
    const before = turns.at(-1);
    const then = periods[frame - 1];
    if (then === undefined) {
      turns.push(undefined);
      continue;
    }
    const there = now;
    now = sameEdges(edges, then.edges) ? there : inverse(edges);
    if (now === undefined || there === undefined) {
      turns.push(before);
      continue;
    }
    const [here, old] = [axes.map((axis) => values(frame, axis)), axes.map((axis) => values(frame - 1, axis))];
    let found = before;
    for (const k of axes) {
      if (isPeriodicAxis[k] === true) found = turnedAlong(k, here, old, now, there, found, before);
    }
    turns.push(found === before || found?.some(hasTurn) ? found : undefined);
  }
  return { turns };
}

function sameEdges(a: Period["edges"], b: Period["edges"]): boolean {
  return a.every((edge, k) => edge.every((part, d) => part === b[k]?.[d]));
}

function hasTurn(line: Int32Array): boolean {
  return line.some((turn) => turn !== 0);
}

/**
 * Add the turns along one edge.
 *
 * @param now, there  inverses of the edges, here and in the frame before
 * @param found  turns so far; a copy is made before the first change to `before`
 */
function turnedAlong(
  k: number,
  here: readonly Float64Array[],
  old: readonly Float64Array[],
  now: readonly (readonly number[])[],
  there: readonly (readonly number[])[],
  found: readonly Int32Array[] | undefined,
  before: readonly Int32Array[] | undefined,
): readonly Int32Array[] | undefined {
  let turns = found;
  const own = here[k] ?? NONE;
  const ownOld = old[k] ?? NONE;
  const [scale, scaleOld] = [now[k]?.[k] ?? 0, there[k]?.[k] ?? 0];
  const isTilted = here.some((_, d) => d !== k && ((now[d]?.[k] ?? 0) !== 0 || (there[d]?.[k] ?? 0) !== 0));
  for (let i = 0; i < own.length; i++) {
    let moved = (own[i] ?? 0) * scale - (ownOld[i] ?? 0) * scaleOld;
    if (isTilted) {
      for (let d = 0; d < here.length; d++) {
        if (d !== k) moved += (here[d]?.[i] ?? 0) * (now[d]?.[k] ?? 0) - (old[d]?.[i] ?? 0) * (there[d]?.[k] ?? 0);
      }
    }
    if (!(Math.abs(moved) > 0.5 && Math.abs(moved) < 1e6)) continue;
    if (turns === undefined || turns === before)
      turns = here.map((line, d) => turns?.[d]?.slice() ?? new Int32Array(line.length));
    const line = turns[k];
    if (line !== undefined) line[i] = (line[i] ?? 0) - Math.round(moved);
  }
  return turns;
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

/** How an axis of a frame is moved along the path, or back: x + sign · sum of turns · edges. */
export function movesOf(
  { turns }: PeriodicPath,
  periods: readonly Period[],
  frame: number,
  axis: number,
  sign: 1 | -1,
): Move[] {
  const moves: Move[] = [];
  for (const [k, line] of turns[frame]?.entries() ?? []) {
    const edge = sign * (periods[frame]?.edges[k]?.[axis] ?? 0);
    if (edge !== 0) moves.push({ turns: line, edge });
  }
  return moves;
}

/**
 * The turns that bring a path into the cell: floors of its scaled positions, by forward substitution from the last axis.
 *
 *     s_k = (p_k - o_k - sum over j > k of s_j a_jk) / a_kk      left to right, rising j, terms with a_jk = 0 left out
 *
 * @param path  shape (axes)(atoms); overwritten by s
 * @param turns  the same shape, overwritten
 * @returns turns; undefined for edges that lean the other way: a_k with a part along an axis behind k
 */
function turnsIntoCell(
  path: readonly Float64Array[],
  { origin, edges }: Period,
  turns: readonly Int32Array[],
): readonly Int32Array[] | undefined {
  if (edges.some((edge, k) => edge.some((part, d) => d > k && part !== 0))) return undefined;
  for (let k = path.length - 1; k >= 0; k--) {
    const line = path[k] ?? NONE;
    const corner = origin[k] ?? 0;
    for (let i = 0; i < line.length; i++) line[i] = (line[i] ?? 0) - corner;
    for (let j = k + 1; j < path.length; j++) subtractProducts(line, path[j] ?? NONE, edges[j]?.[k] ?? 0);
    floorsOf(line, edges[k]?.[k] ?? 0, turns[k] ?? NO_TURNS);
  }
  return turns;
}

/** Divide a line, and take the floors, which an Int32Array keeps modulo 2^32. */
function floorsOf(line: Float64Array, edge: number, floors: Int32Array): void {
  for (let i = 0; i < line.length; i++) {
    const s = (line[i] ?? 0) / edge;
    line[i] = s;
    floors[i] = Math.floor(s);
  }
}

function subtractProducts(line: Float64Array, values: Float64Array, factor: number): void {
  if (factor === 0) return;
  for (let i = 0; i < line.length; i++) line[i] = (line[i] ?? 0) - (values[i] ?? 0) * factor;
}

/**
 * Turns as bytes: for every frame but the first and each axis how they are foreseen and how many are not so, the gaps
 * between those, and what is to be added there.
 *
 * @param path  as a reader decodes it
 */
export function encodeTurns(
  { turns }: PeriodicPath,
  path: PositionsAt,
  periods: readonly Period[],
): Uint8Array<ArrayBuffer> {
  const [counts, gaps, changes] = [new VarintWriter(), new VarintWriter(), new VarintWriter()];
  let room: readonly Int32Array[] = [];
  for (const [frame, period] of periods.entries()) {
    if (frame === 0) continue;
    const [now, before] = [turns[frame], turns[frame - 1]];
    if (now === before) {
      for (const _ of period.edges) counts.push(AS_BEFORE);
      continue;
    }
    const lines = period.edges.map((_, axis) => path(frame, axis));
    if (room.length === 0) room = lines.map(({ length }) => new Int32Array(length));
    const into = turnsIntoCell(lines, period, room);
    for (const [axis, { length }] of lines.entries()) {
      const line = now?.[axis] ?? new Int32Array(length);
      const kept = before?.[axis] ?? new Int32Array(length);
      const inside = into?.[axis] ?? kept;
      const [asBefore, intoCell] = [differences(line, kept), differences(line, inside)];
      const foreseen = intoCell < asBefore ? INTO_CELL : AS_BEFORE;
      counts.push(2 * Math.min(asBefore, intoCell) + foreseen);
      writeDifferences(line, foreseen === INTO_CELL ? inside : kept, gaps, changes);
    }
  }
  return new Uint8Array(Buffer.concat([counts.finish(), gaps.finish(), changes.finish()]));
}

function differences(a: Int32Array, b: Int32Array): number {
  let count = 0;
  for (let i = 0; i < a.length; i++) count += Number(a[i] !== b[i]);
  return count;
}

function writeDifferences(turns: Int32Array, foreseen: Int32Array, gaps: VarintWriter, changes: VarintWriter): void {
  let next = 0;
  for (let i = 0; i < turns.length; i++) {
    const change = (turns[i] ?? 0) - (foreseen[i] ?? 0);
    if (change === 0) continue;
    gaps.push(i - next);
    changes.pushSigned(change);
    next = i + 1;
  }
}

/** The way back. @returns undefined where the bytes are damaged */
export function decodeTurns(
  bytes: Uint8Array,
  path: PositionsAt,
  periods: readonly Period[],
  atoms: number,
): PeriodicPath | undefined {
  const reader = new VarintReader(bytes);
  const axes = periods[0]?.edges.length ?? 0;
  const heads = Array.from({ length: Math.max(0, periods.length - 1) * axes }, () => reader.next());
  const counts = heads.map((head) => Math.floor(head / 2));
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (counts.some((count) => count > atoms) || all > bytes.length) return undefined;
  const gaps = Array.from({ length: all }, () => reader.next());
  const changes = Array.from({ length: all }, () => reader.nextSigned());
  if (!reader.isWhole) return undefined;
  const turns: (Int32Array[] | undefined)[] = [];
  let at = 0;
  for (const [frame, period] of periods.entries()) {
    const own = frame === 0 ? [] : heads.slice((frame - 1) * axes, frame * axes);
    if (own.every((head) => head === AS_BEFORE)) {
      turns.push(turns.at(-1));
      continue;
    }
    const isInto = own.some((head) => head % 2 === INTO_CELL);
    const into = isInto
      ? turnsIntoCell(
          period.edges.map((_, axis) => path(frame, axis)),
          period,
          period.edges.map(() => new Int32Array(atoms)),
        )
      : undefined;
    if (isInto && into === undefined) return undefined;
    const lines: Int32Array[] = [];
    for (const [axis, head] of own.entries()) {
      const before = turns[frame - 1]?.[axis] ?? new Int32Array(atoms);
      const line = head % 2 === INTO_CELL ? (into?.[axis] ?? before) : before.slice();
      const end = at + Math.floor(head / 2);
      for (let next = 0; at < end; at++) {
        const atom = next + (gaps[at] ?? 0);
        if (atom >= atoms) return undefined;
        line[atom] = (line[atom] ?? 0) + (changes[at] ?? 0);
        next = atom + 1;
      }
      lines.push(line);
    }
    turns.push(lines.some(hasTurn) ? lines : undefined);
  }
  return { turns };
}
