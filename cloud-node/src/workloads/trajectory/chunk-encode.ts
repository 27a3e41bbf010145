import { bytesOf } from "./array-bytes.ts";
import type { OrderedFrame } from "./atom-order.ts";
import type { Box } from "./box.ts";
import type { ChunkBlock, ChunkBox, ChunkHead } from "./chunk-head.ts";
import { type ColumnGroup, familyOf, partnersOf } from "./column-groups.ts";
import { encodeExact } from "./exact-bytes.ts";
import type { Column } from "./frame.ts";
import { type CodedGroup, compareMoved, type GroupSource, readGroup } from "./group-codec.ts";
import { encodeGroup } from "./group-encode.ts";
import {
  encodeTurns,
  findTurns,
  movesOf,
  type Period,
  type PeriodicPath,
  periodicAxes,
  periodsOf,
} from "./periodic-path.ts";
import type { TrajectoryCore } from "./trajectory-core.ts";
import { VarintWriter } from "./varints.ts";

/** A chunk, ready to be written. */
export interface EncodedChunk {
  readonly frames: number;
  readonly head: ChunkHead;
  readonly blocks: readonly Uint8Array<ArrayBuffer>[];
  /** Largest error of each group in parts of its eps; 0 for exact ones. */
  readonly errors: readonly number[];
}

const FLOAT64_BYTES = 8;
const NOTHING = new Uint8Array(0);
/** Moving along a path rounds some times, by 2^-53 of what is moved each: of values in or near the box, which are as large. */
const MOVE_LOSS = 2 ** -50;

interface EncodedBlock {
  readonly block: Omit<ChunkBlock, "crc" | "bytes">;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly plane: number | undefined;
  readonly error: number;
}

/**
 * Code frames that have the same atoms and columns; every block is decoded and compared before it is given.
 *
 * @param frames  1 … the core's `maxFrames`
 * @param keepRows  whether the order of rows is kept where it is not that of rising ids
 */
export function encodeChunk(
  core: TrajectoryCore,
  groups: readonly ColumnGroup[],
  frames: readonly OrderedFrame[],
  keepRows: boolean,
): EncodedChunk {
  core.clear();
  const encoded: EncodedBlock[] = [];
  for (const index of groups.keys()) encoded.push(encodeOne(core, groups, frames, encoded, index));
  const blocks = encoded.map(({ bytes }) => bytes);
  const head = {
    ...headOf(frames, keepRows),
    groups: groups.map((group) => ({ ...group, columns: [...group.columns], axes: [...group.axes] })),
    blocks: encoded.map(({ block, bytes }) => ({ ...block, bytes: bytes.length, crc: core.checksum(bytes) })),
  };
  return { frames: frames.length, head, blocks, errors: encoded.map(({ error }) => error) };
}

function encodeOne(
  core: TrajectoryCore,
  groups: readonly ColumnGroup[],
  frames: readonly OrderedFrame[],
  before: readonly EncodedBlock[],
  index: number,
): EncodedBlock {
  const group = groups[index] as ColumnGroup;
  const columns = group.columns.map((name) => frames.map((frame) => frame.columns.get(name) as Column));
  const [first] = columns[0] ?? [];
  if (first?.kind === "text") return encodeWords(core, columns[0] ?? []);
  const kinds = kindsOf(columns);
  const partners = partnersOf(groups, index).filter((partner) => before[partner]?.plane !== undefined);
  const planes = partners.map((partner) => before[partner]?.plane ?? 0);
  const isPartner = familyOf(group) !== "other";
  const held = isPartner ? columns : stillColumns(columns);
  const path = group.period === "none" ? undefined : pathOf(group, frames, columns);
  for (const way of path === undefined ? [undefined] : [path, undefined]) {
    const source = sourceOf(group, atomsOf(frames), held, way);
    const mark = core.mark();
    const coded = canCode(source, held) ? encodeGroup(core, source, planes) : undefined;
    const found = coded && turnsOf(core, source, coded, way);
    if (coded === undefined || found === undefined) {
      core.release(mark);
      continue;
    }
    const block = { ...plain("codes", source.frames, kinds), ...describe(coded), partners, turns: found.turns };
    if (!isPartner) core.release(mark);
    const error = group.eps > 0 ? found.maxError / group.eps : 0;
    return { block, bytes: coded.bytes, plane: isPartner ? coded.plane : undefined, error };
  }
  return { ...asBytes(held, kinds), plane: undefined, error: 0 };
}

/**
 * The turns of a path, and the error of what a reader gives once it has moved the decoded path back.
 *
 * @returns undefined where that is not within the bound: far from the box, moving rounds more than the path does
 */
function turnsOf(
  core: TrajectoryCore,
  source: GroupSource,
  coded: CodedGroup,
  path: CodedPath | undefined,
): { turns: Uint8Array<ArrayBuffer>; maxError: number } | undefined {
  if (path === undefined) return { turns: NOTHING, maxError: coded.maxError };
  const room = Array.from({ length: source.axes }, () => new Float64Array(source.atoms));
  const decoded = (frame: number, axis: number) =>
    readGroup(core, source, coded, frame, axis, room[axis] ?? new Float64Array(source.atoms));
  const turns = encodeTurns(path.path, decoded, path.periods);
  const back = (frame: number, axis: number) => movesOf(path.path, path.periods, frame, axis, -1);
  const { maxError, rmsError } = compareMoved(core, source, coded, back);
  if (!(maxError <= source.eps - source.loss)) return undefined;
  const isLoose = source.mode === "rms" && !(rmsError < source.eps / 2 - source.loss);
  return isLoose ? undefined : { turns, maxError };
}

function atomsOf(frames: readonly OrderedFrame[]): number {
  return frames[0]?.frame.atoms ?? 0;
}

/** A group's columns that are the same in every frame, in the first alone; all of them unless all are. */
function stillColumns(columns: readonly (readonly Column[])[]): readonly (readonly Column[])[] {
  const isStill = columns.every(
    ([first, ...rest]) => first !== undefined && rest.every((other) => hasSameValues(first, other)),
  );
  return isStill ? columns.map((line) => line.slice(0, 1)) : columns;
}

/** Bit by bit; columns of words are compared by their numbers in one list. */
function hasSameValues(a: Column, b: Column): boolean {
  return a.kind !== "text" && b.kind !== "text" && Buffer.compare(bytesOf(a.values), bytesOf(b.values)) === 0;
}

/** The core takes 1 atom at least, and whole numbers lose -0 on the way: a column that is none of them by its kind is looked at. */
function canCode(source: GroupSource, columns: readonly (readonly Column[])[]): boolean {
  if (source.atoms === 0) return false;
  return source.mode !== "exact" || columns.every((line) => line.every(isWholeColumn));
}

function isWholeColumn(column: Column): boolean {
  if (column.kind !== "real") return column.kind === "integer";
  for (const value of column.values) if (!Number.isInteger(value) || Object.is(value, -0)) return false;
  return true;
}

function plain(coding: ChunkBlock["coding"], frames: number, kinds: string): EncodedBlock["block"] {
  const nothing = { escapes: NOTHING, escapeBits: NOTHING, turns: NOTHING, words: [] };
  return { coding, frames, unit: 0, partners: [], kinds, ...nothing };
}

function describe({ unit, escapes }: CodedGroup): Pick<ChunkBlock, "unit" | "escapes" | "escapeBits"> {
  const gaps = new VarintWriter();
  let next = 0;
  for (const index of escapes.indices) {
    gaps.push(index - next);
    next = index + 1;
  }
  return { unit, escapes: gaps.finish(), escapeBits: escapes.bits };
}

function asBytes(columns: readonly (readonly Column[])[], kinds: string): Pick<EncodedBlock, "block" | "bytes"> {
  const axes = columns.map((line) =>
    line.map((column) => (column.kind === "text" ? NOTHING : new Uint8Array(column.values.slice().buffer))),
  );
  const frames = (axes[0] ?? []).map((_, t) => {
    const parts = axes.map((line) => line[t] ?? NOTHING);
    return new Uint8Array(Buffer.concat(parts));
  });
  return { block: plain("bytes", frames.length, kinds), bytes: encodeExact(frames, FLOAT64_BYTES) };
}

/** Words by their numbers in one list for the chunk. */
function encodeWords(core: TrajectoryCore, line: readonly Column[]): EncodedBlock {
  const words = new Map<string, number>();
  const numbered = line.map((column): Column => {
    if (column.kind !== "text") return column;
    const numbers = column.words.map((word) => {
      const number = words.get(word) ?? words.size;
      words.set(word, number);
      return number;
    });
    const values = Float64Array.from(column.codes, (code) => numbers[code] ?? 0);
    return { kind: "integer", name: column.name, values };
  });
  const columns = stillColumns([numbered]);
  const [first] = numbered;
  const atoms = first === undefined || first.kind === "text" ? 0 : first.values.length;
  const exact = { mode: "exact", eps: 0, decimals: 0 } as const;
  const source = sourceOf(exact, atoms, columns, undefined);
  const mark = core.mark();
  const coded = canCode(source, columns) ? encodeGroup(core, source, []) : undefined;
  core.release(mark);
  const found = { words: [...words.keys()] };
  if (coded === undefined) {
    const { block, bytes } = asBytes(columns, "t");
    return { block: { ...block, ...found }, bytes, plane: undefined, error: 0 };
  }
  const block = { ...plain("codes", source.frames, "t"), ...found, unit: 1 };
  return { block, bytes: coded.bytes, plane: undefined, error: 0 };
}

interface CodedPath {
  readonly path: PeriodicPath;
  readonly periods: readonly Period[];
}

/** @returns undefined where nothing turns, or the box does not tell */
function pathOf(
  { axes, period }: ColumnGroup,
  frames: readonly OrderedFrame[],
  columns: readonly (readonly Column[])[],
): CodedPath | undefined {
  const boxes = frames.map(({ frame }) => frame.box);
  const periods = periodsOf(boxes, axes, period === "unit");
  if (periods === undefined) return undefined;
  const path = findTurns((frame, axis) => numbersOf(columns, frame, axis), periods, periodicAxes(boxes, axes));
  return path.turns.some((turns) => turns !== undefined) ? { path, periods } : undefined;
}

function sourceOf(
  group: Pick<ColumnGroup, "mode" | "eps" | "decimals">,
  atoms: number,
  columns: readonly (readonly Column[])[],
  path: CodedPath | undefined,
): GroupSource {
  const source = {
    frames: columns[0]?.length ?? 0,
    axes: columns.length,
    atoms,
    elementBytes: FLOAT64_BYTES,
    mode: group.mode,
    eps: group.eps,
    values: (frame: number, axis: number) => numbersOf(columns, frame, axis),
  } as const;
  if (group.mode === "exact") return { ...source, loss: 0 };
  const loss = 0.5 * 10 ** -group.decimals;
  if (path === undefined) return { ...source, loss };
  const moves = (frame: number, axis: number) => movesOf(path.path, path.periods, frame, axis, 1);
  return { ...source, moves, loss, lossOfLargest: MOVE_LOSS };
}

function numbersOf(columns: readonly (readonly Column[])[], frame: number, axis: number): Float64Array {
  const column = columns[axis]?.[frame];
  return column === undefined || column.kind === "text" ? new Float64Array(0) : column.values;
}

/** A group's kind by frame: `i` where all its columns are whole numbers. */
function kindsOf(columns: readonly (readonly Column[])[]): string {
  const frames = columns[0]?.length ?? 0;
  const kinds = Array.from({ length: frames }, (_, t) =>
    columns.every((line) => line[t]?.kind === "integer") ? "i" : "r",
  );
  return kinds.every((kind) => kind === kinds[0]) ? (kinds[0] ?? "r") : kinds.join("");
}

function headOf(frames: readonly OrderedFrame[], keepRows: boolean): Omit<ChunkHead, "groups" | "blocks"> {
  const [first] = frames;
  const hasRows = keepRows && frames.some(({ rows }) => rows !== undefined);
  return {
    atoms: atomsOf(frames),
    columns: first?.frame.columns.map(({ name }) => name) ?? [],
    ...idsOf(frames),
    rows: hasRows ? frames.map(({ rows }) => (rows === undefined ? NOTHING : encodeRows(rows))) : [],
    steps: frames.map(({ frame }) => {
      const step = Number(frame.step);
      return Number.isSafeInteger(step) ? step : frame.step;
    }),
    times: frames.map(({ frame }) => frame.time ?? null),
    units: first?.frame.units ?? null,
    boxes: boxesOf(frames.map(({ frame }) => frame.box)),
  };
}

function idsOf(frames: readonly OrderedFrame[]): Pick<ChunkHead, "ids" | "idOrder"> {
  const [first] = frames;
  if (first?.frame.ids === undefined) return { ids: NOTHING, idOrder: "none" };
  const out = new VarintWriter();
  if (first.ids !== undefined) {
    let next = 0;
    for (const id of first.ids) {
      out.push(id - next);
      next = id + 1;
    }
    return { ids: out.finish(), idOrder: "rising" };
  }
  for (const { frame } of frames) for (const id of frame.ids ?? []) out.push(id);
  return { ids: out.finish(), idOrder: "rows" };
}

/** Rows of a dump, as the changes from each to the next. */
function encodeRows(rows: Uint32Array): Uint8Array<ArrayBuffer> {
  const out = new VarintWriter();
  let before = 0;
  for (const row of rows) {
    out.pushSigned(row - before);
    before = row;
  }
  return out.finish();
}

function boxesOf(boxes: readonly Box[]): ChunkBox[] {
  const out: ChunkBox[] = [];
  for (const [from, { shape, boundary, bounds }] of boxes.entries()) {
    const box = { from, shape, boundary: boundary === undefined ? null : [...boundary], bounds: [...bounds] };
    const last = out.at(-1);
    if (last === undefined || !isSameBox(last, box)) out.push(box);
  }
  return out;
}

function isSameBox(a: ChunkBox, b: ChunkBox): boolean {
  const isSame = a.shape === b.shape && String(a.boundary) === String(b.boundary);
  return isSame && a.bounds.every((bound, i) => Object.is(bound, b.bounds[i]));
}
